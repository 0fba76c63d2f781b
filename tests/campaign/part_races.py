"""Part 5: two commands on one path at the same time, and data that change while they are read."""
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations_with_replacement

from . import judge, tree
from .commands import Command
from .driver import Trial
from .stage import TRAINING

SMALL = ["--threads", "1"]
MODEL, PHOTOS = "model.resflow", "photos"
# All write the path "same".
FILES = {
    "score": ["score", MODEL, PHOTOS, "--out", "same", "--format", "csv", "--executors", "1", "--batch", "4", *SMALL],
    "evaluate": ["evaluate", MODEL, PHOTOS, "--csv", "same", *SMALL],
    "merge": ["merge", "1.csv", "2.csv", "--out", "same"],
    "stats": ["stats", PHOTOS, "--json", "same", "--image-size", "32", *SMALL],
    "pack": ["pack", "photos/train", "same", *SMALL],
    "convert": ["convert", MODEL, "same", "--to", "safetensors"],
    "quantize": ["quantize", MODEL, PHOTOS, "--out", "same", "--samples", "2", "--max-drop", "100", *SMALL],
    "preview": ["preview", PHOTOS, "--out", "same", "--batch", "4", "--image-size", "32", *SMALL],
}
FOLDERS = {
    "train": ["train", PHOTOS, "--out", "same", "--epochs", "2", "--save-every", "1", *TRAINING],
    "train-overwrite": ["train", PHOTOS, "--out", "same", "--epochs", "1", "--overwrite", "--save-every", "1",
                        *TRAINING],
    "train-resume": ["train", PHOTOS, "--out", "same", "--resume", "--epochs", "2", *SMALL],
    "split": ["split", "photos/train", "--out", "same", "--how", "copy", "--val", "0.3", *SMALL],
}
NEEDS = [MODEL, PHOTOS, *(i + what for i in "12" for what in (".csv", ".csv.shard", ".npy", ".errors.csv"))]

_alone = {}
_alone_lock = threading.Lock()


def lay(campaign, folder, with_run):
    Command("", [], NEEDS, copies=(("run", "same"),) if with_run else ()).lay(campaign.stage, folder)


def alone(campaign, name, with_run):
    """What the path holds after the command alone; None where that is another each time (it has seconds in it)."""
    with _alone_lock:
        if (name, with_run) not in _alone:
            turns = []
            for _ in range(2):
                with campaign.folder() as folder:
                    lay(campaign, folder, with_run)
                    campaign.program.run((FILES | FOLDERS)[name], folder)
                    turns.append(content(folder))
            _alone[name, with_run] = turns[0] if turns[0] == turns[1] else None
        return _alone[name, with_run]


def content(folder):
    state = tree.snapshot(folder)
    return {path: bytes_ for path, bytes_ in state.items() if path == "same" or
            (path.startswith("same/") and path.endswith((".resflow", ".ppm", ".png", ".tif", ".jpg")))}


def race(campaign, first, second, turn, folder):
    draw = campaign.random("race", first, second, turn)
    with_run = "train-resume" in (first, second)
    lay(campaign, folder, with_run)
    before = tree.snapshot(folder)
    delays = [0, draw.uniform(0, 0.05) if draw.random() < 0.5 else draw.uniform(0, 0.5)]
    with ThreadPoolExecutor(2) as pool:
        def run(name, delay):
            time.sleep(delay)
            return campaign.program.run((FILES | FOLDERS)[name], folder)
        outcomes = list(pool.map(run, (first, second), delays))
    wrong = []
    for name, outcome in zip((first, second), outcomes):
        wrong += ["%s: %s" % (name, w) for w in judge.exit_code(outcome, {0, 2})]
    if all(outcome.code != 0 for outcome in outcomes):
        wrong.append("neither came to its end: %s" % " / ".join(o.err[-150:].strip() for o in outcomes))
    state = tree.snapshot(folder)
    for path in state:
        if path not in before and path != "same" and not path.startswith("same/") and not path.endswith(".journal"):
            wrong.append("%s is left over" % path)
        elif "partial" in path:
            wrong.append("%s is left over" % path)
    wrong += whose(campaign, folder, [n for n, o in zip((first, second), outcomes) if o.code == 0], with_run, state)
    return ["%s [%.0f ms apart]" % (w, delays[1] * 1000) for w in wrong]


def whose(campaign, folder, winners, with_run, state):
    """The path holds what one of those wrote that came to their end."""
    wrong = []
    if winners and all(name in FILES for name in winners):
        possible = [alone(campaign, name, with_run) for name in winners]
        if None not in possible and content(folder) not in possible:
            wrong.append("what is there is none of the outputs of %s" % " and ".join(winners))
    for path in state:
        if path.startswith("same/") and path.endswith(".resflow") or ".resflow." in path:
            outcome = campaign.program.run(["inspect", path, "--verify"], folder)
            if outcome.code != 0:
                wrong.append("%s is damaged: %s" % (path, outcome.err.strip()))
    return wrong


# What somebody else does to a picture, again and again, while a command reads the folder.
def truncate(path, sound):
    os.truncate(path, draw_size(path))


def draw_size(path):
    return os.stat(path).st_size // 2


def remove(path, sound):
    os.unlink(path)


def grow(path, sound):
    with open(path, "ab") as file:
        file.write(bytes(4096))


def replace_by_fifo(path, sound):
    os.unlink(path)
    os.mkfifo(path)


def replace_by_folder(path, sound):
    os.unlink(path)
    os.mkdir(path)


def replace_by_link(path, sound):
    os.unlink(path)
    os.symlink("nowhere", path)


def rename_in(path, sound):
    with open(str(path) + ".new", "wb") as file:
        file.write(sound)
    os.rename(str(path) + ".new", path)


CHANGES = {f.__name__.replace("_", "-"): f for f in (truncate, remove, grow, replace_by_fifo, replace_by_folder,
                                                     replace_by_link, rename_in)}
READERS = {
    "score": ["score", MODEL, "data", "--out", "s.csv", "--batch", "2", "--executors", "1", *SMALL],
    "train": ["train", "data", "--out", "run", "--epochs", "1", *TRAINING],
    "pack": ["pack", "data", "p.resflow-pack", *SMALL],
    "stats": ["stats", "data", "--json", "s.json", "--image-size", "32", *SMALL],
    "split": ["split", "data", "--out", "parts", "--how", "copy", *SMALL],
    "evaluate": ["evaluate", MODEL, "data", "--csv", "r.csv", *SMALL],
}


def change_while_read(campaign, reader, change, turn, folder):
    draw = campaign.random("change", reader, change, turn)
    tree.lay(campaign.stage / MODEL, folder / MODEL)
    for copy in range(6):
        for name in ("dark", "light"):
            for source in sorted((campaign.stage / "photos/train" / name).iterdir()):
                target = folder / "data" / name / ("%d-%s" % (copy, source.name))
                tree.copy(source, target)
    victims = sorted(p for p in (folder / "data").rglob("*.*") if p.name[0] in "0123")
    sound = victims[0].read_bytes()
    stop = threading.Event()

    def change_on():
        draw.shuffle(victims)
        time.sleep(draw.uniform(0, 0.3))
        for victim in victims:
            if stop.wait(0.01):
                return
            CHANGES[change](victim, sound)

    changer = threading.Thread(target=change_on)
    changer.start()
    outcome = campaign.program.run(READERS[reader], folder)
    stop.set()
    changer.join()
    # A copy of what is gone is bad data; all others go on without the picture.
    return judge.exit_code(outcome, {0, 3} if reader == "split" else {0})


def trials(campaign):
    turns = campaign.options.races or (1 if campaign.sample else 50)
    draw = campaign.random("pairs")
    pairs = [*combinations_with_replacement(FILES, 2), *combinations_with_replacement(FOLDERS, 2)]
    always = [("train", "train"), ("score", "score"), ("score", "evaluate"), ("train-resume", "train-resume")]
    if campaign.sample:
        pairs = always + draw.sample([p for p in pairs if p not in always], 8)
    for first, second in pairs:
        for turn in range(turns):
            yield Trial("races/%s+%s/%d" % (first, second, turn), lambda folder, a=first, b=second, t=turn:
                        race(campaign, a, b, t, folder),
                        "resflow %s & resflow %s" % tuple(" ".join((FILES | FOLDERS)[n]) for n in (first, second)))
    both = [(reader, change) for reader in READERS for change in CHANGES]
    for reader, change in draw.sample(both, 8) if campaign.sample else both:
        for turn in range(1 if campaign.sample else max(1, turns // 10)):
            yield Trial("races/%s-while-%s/%d" % (reader, change, turn), lambda folder, r=reader, c=change, t=turn:
                        change_while_read(campaign, r, c, t, folder), "resflow " + " ".join(READERS[reader]))
