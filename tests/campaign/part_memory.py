"""Part 2: memory that cannot be had, at each allocation, once and from then on; and a limit of the address space."""
import resource

from . import judge, tree
from .commands import command, references
from .driver import Trial
from .part_calls import judge_text, repeat
from .program import Fault

# One command a way through the program: the others allocate at the same places.
CHOSEN = ["train", "train-features", "train-svm", "score-csv", "score-unordered", "score-npz", "score-tar-gz",
          "score-pack", "score-list", "merge", "pack-resize", "split-copy", "convert-onnx", "convert-from-pth",
          "quantize", "evaluate", "stats", "preview", "inspect"]
FULL = 3000  # allocations of a command that fail in the full run: all of the first thousand, then evenly
HANGS = 30


def places(count, sample, draw):
    if sample is not None:
        return sorted(draw.sample(range(1, count + 1), min(sample, count)))
    first = list(range(1, min(count, 1000) + 1))
    step = max(1, (count - 1000) // (FULL - 1000)) if count > 1000 else 1
    return first + list(range(1001, count + 1, step))


def judged(outcome, chosen, known, folder, campaign):
    wrong = judge.exit_code(outcome, {known.code, 4})
    if "broken" in judge_text(outcome, folder):
        wrong.append("a shortage of memory is called a broken picture: %s" % outcome.err[-200:].strip())
    state = tree.snapshot(folder)
    if outcome.code == known.code and not outcome.hung:
        wrong += ["ends well, but " + w for w in judge.files_after_success(known, state)]
    else:
        wrong += judge.files_after_failure(chosen, known, state)
        wrong += repeat(campaign, chosen, known, folder)
    return wrong


def fail_at(campaign, chosen, known, k, mode, folder):
    chosen.lay(campaign.stage, folder)
    fault = Fault(calls="memory", at=k, then="memory" if mode == "on" else "", do="error:12")
    outcome = chosen.run(campaign.program, folder, fault, seconds=HANGS)
    if not outcome.hit:
        return []
    return [w + " [allocation %d, %s]" % (k, mode) for w in judged(outcome, chosen, known, folder, campaign)]


def fail_below(campaign, chosen, known, megabytes, folder):
    chosen.lay(campaign.stage, folder)
    outcome = chosen.run(campaign.program, folder, seconds=HANGS, limits=[(resource.RLIMIT_AS, megabytes << 20)])
    if outcome.code == 127 or "static TLS" in outcome.err or "shared libraries" in outcome.err:
        return []  # the loader could not even begin it
    return [w + " [address space of %d MB]" % megabytes for w in judged(outcome, chosen, known, folder, campaign)]


def allocations(campaign, chosen):
    with campaign.folder() as folder:
        chosen.lay(campaign.stage, folder)
        return chosen.run(campaign.program, folder, Fault(calls="memory"), seconds=120).count


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("memory/")]
    names = [n for n in CHOSEN if not only or any(name[1] == n for name in only)]
    for chosen, known in references(campaign, [command(n) for n in names], calls=""):
        if isinstance(known, str):
            yield Trial("memory/%s/reference" % chosen.name, lambda folder, why=known: [why], chosen.line())
            continue
        draw = campaign.random("memory", chosen.name)
        tried = [(name[2], name[3]) for name in only if name[1] == chosen.name]
        if not tried:
            count = allocations(campaign, chosen)
            for k in places(count, 3 if campaign.sample else None, draw):
                modes = [draw.choice(("once", "on"))] if campaign.sample else ["once", "on"]
                tried += [(str(k), mode) for mode in modes]
            tried += [("limit", str(mb)) for mb in ([draw.randrange(150, 700)] if campaign.sample else
                                                    range(100, 1000, 20))]
        for k, mode in tried:
            if k == "limit":
                run = lambda folder, c=chosen, r=known, mb=int(mode): fail_below(campaign, c, r, mb, folder)
            else:
                run = lambda folder, c=chosen, r=known, at=int(k), m=mode: fail_at(campaign, c, r, at, m, folder)
            yield Trial("memory/%s/%s/%s" % (chosen.name, k, mode), run, chosen.line())
