"""Part 3: what a run wrote is written again up to a point, and then the power goes (disk.py): a checkpoint or its
generation before is whole, and what is resumed gives the reference's bytes."""
import threading

from .commands import command, references
from .disk import MODES, Disk, read_events
from .driver import Trial
from .part_calls import repeat
from .program import Fault

CHOSEN = ["score-csv", "score-unordered", "score-jsonl", "score-npz", "score-shard", "train", "train-resume",
          "train-features"]
ENDED = 4000  # points of a command in the full run, at most

_recorded = {}
_lock = threading.Lock()


def recorded(campaign, chosen):
    """(events, the folder before as a Disk of which a copy is made for each trial)."""
    with _lock:
        if chosen.name not in _recorded:
            path = campaign.work / ("record-" + chosen.name)
            with campaign.folder() as folder:
                chosen.lay(campaign.stage, folder)
                outcome = chosen.run(campaign.program, folder, Fault(calls="", record=str(path)), seconds=120)
                if outcome.code != 0:
                    raise RuntimeError("the recorded run ended with %d: %s" % (outcome.code, outcome.err))
                _recorded[chosen.name] = read_events(path), folder
            path.unlink()
        return _recorded[chosen.name]


def replayed(campaign, chosen, count, folder):
    events, recorded_in = recorded(campaign, chosen)
    chosen.lay(campaign.stage, folder)
    disk = Disk(folder)
    # Absolute paths of the record are those of its own folder.
    laid = disk.root
    disk.root = recorded_in
    saved = 0
    for fields, data in events[:count]:
        before = disk.names.get("run/last.resflow")
        disk.apply(fields, data)
        saved += disk.safe_names.get("run/last.resflow") is not None and fields[0] == "sync" and before is not None
    disk.root = laid
    return disk, saved


def power_goes(campaign, chosen, known, count, mode, folder):
    disk, saved = replayed(campaign, chosen, count, folder)
    disk.lay(folder, mode)
    wrong = []
    if chosen.name.startswith("train") and saved:
        wrong += a_checkpoint_is_whole(campaign, folder)
    wrong += repeat(campaign, chosen, known, folder)
    events, _ = recorded(campaign, chosen)
    at = " ".join(events[count - 1][0][:3]) if count else "the beginning"
    return ["%s [power goes after %d of %d changes, %s: %s]" % (w, count, len(events), at, mode) for w in wrong
            if not ("is left over" in w and "partial" in w)]


def a_checkpoint_is_whole(campaign, folder):
    told = []
    for name in ("run/last.resflow", "run/last.resflow.1"):
        if (folder / name).exists():
            outcome = campaign.program.run(["inspect", name, "--verify"], folder)
            if outcome.code == 0:
                return []
            told.append(outcome.err.strip())
    return ["no checkpoint is whole: %s" % ("; ".join(told) or "there is none")]


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("replay/")]
    names = [n for n in CHOSEN if not only or any(name[1] == n for name in only)]
    for chosen, known in references(campaign, [command(n) for n in names], calls=""):
        if isinstance(known, str):
            yield Trial("replay/%s/reference" % chosen.name, lambda folder, why=known: [why], chosen.line())
            continue
        points = [(int(name[2]), name[3]) for name in only if name[1] == chosen.name]
        if not points:
            events, _ = recorded(campaign, chosen)
            draw = campaign.random("replay", chosen.name)
            counts = range(len(events) + 1)
            if campaign.sample:
                points = [(draw.choice(counts), draw.choice(MODES)) for _ in range(4)]
            else:
                points = [(count, mode) for count in counts[::max(1, len(events) // ENDED)] for mode in MODES]
        for count, mode in points:
            yield Trial("replay/%s/%d/%s" % (chosen.name, count, mode),
                        lambda folder, c=chosen, r=known, n=count, m=mode:
                        power_goes(campaign, c, r, n, m, folder), chosen.line())
