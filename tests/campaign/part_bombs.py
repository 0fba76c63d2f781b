"""Part 8: one file a trick, in a folder beside sound ones: budgets of memory and time, and Ctrl-C in a second."""
import csv
import resource
import signal

from . import judge, tree
from .bombs import ARCHIVES, PICTURES
from .checkpoint_file import field, message, patched, varint
from .driver import Trial
from .pictures import sound_ppm

ALONE = True  # times are looked at; a sample makes do without
MEMORY = 1500 << 20  # beyond what the same command takes of sound pictures
SECONDS = 20  # of a thread, beyond what the pixels need
PIXELS_A_SECOND = 20e6
# What a finding must not take the machine with.
GUARD = [(resource.RLIMIT_AS, 8 << 30)]
OBEYED = 1.0  # second of a thread: a busy machine has none to give

_usual = {}


def commands_of(data):
    small = ["--threads", "1"]
    return {
        "score": ["score", "model.resflow", data, "--out", "s.csv", "--executors", "1", *small],
        "evaluate": ["evaluate", "model.resflow", data, "--csv", "r.csv", *small],
        "stats": ["stats", data, "--json", "s.json", *small],
        "preview": ["preview", data, "--out", "g.png", "--batch", "2", "--image-size", "32", *small],
        "pack": ["pack", data, "p.resflow-pack", "--resize", "32", *small],
        "quantize": ["quantize", "model.resflow", data, "--out", "q.resflow", "--samples", "4", "--max-drop", "100",
                     *small],
        "train": ["train", data, "--val", data, "--out", "run", "--epochs", "1", "--model", "resnet18", "--image-size",
                  "32", "--batch", "2", "--optimizer", "sgd", "--momentum", "0", "--lr", "0.0001", *small],
    }


def lay(campaign, folder, bomb=None):
    tree.lay(campaign.stage / "model.resflow", folder / "model.resflow")
    for name in ("dark", "light"):
        (folder / "data" / name).mkdir(parents=True)
        for i in range(2):
            (folder / "data" / name / ("sound%d.ppm" % i)).write_bytes(
                sound_ppm(36, 36, bytes([(128 if name == "light" else 0) + i]) * 36 * 36 * 3))
    if bomb:
        bomb.write(folder / "data" / "dark" / bomb.name)


def usual(campaign, name):
    """What the command takes of sound pictures alone."""
    if name not in _usual:
        with campaign.folder() as folder:
            lay(campaign, folder)
            outcome = campaign.program.run(commands_of("data")[name], folder)
            if outcome.code != 0:
                raise RuntimeError("without a bomb it ends with %d: %s" % (outcome.code, outcome.err))
            _usual[name] = outcome
    return _usual[name]


def budgets(outcome, before, pixels):
    wrong = []
    seconds = SECONDS + pixels / PIXELS_A_SECOND
    if outcome.hung or outcome.cpu - before.cpu > seconds:
        wrong.append("takes more than %.0f s of a thread: %.0f s" % (seconds, outcome.cpu))
    if outcome.peak - before.peak > MEMORY:
        wrong.append("takes %.1f GB, wanted at most 1.5 GB" % ((outcome.peak - before.peak) / 2 ** 30))
    return wrong


def judged_end(outcome, allowed=(0,)):
    if outcome.hung:
        return []  # its budget says so
    return judge.exit_code(outcome, set(allowed))


def blow(campaign, bomb, name, folder):
    before = usual(campaign, name)
    lay(campaign, folder, bomb)
    arguments = commands_of("data")[name]
    limit = 3 * (SECONDS + bomb.pixels / PIXELS_A_SECOND)
    outcome = campaign.program.run(arguments, folder, seconds=limit, limits=GUARD)
    wrong = judged_end(outcome) + budgets(outcome, before, bomb.pixels)
    if name == "score" and outcome.code == 0:
        wrong += rows_are_there(folder / "s.csv", bomb.name)
    if outcome.seconds > before.seconds + 1.5 or outcome.hung:
        wrong += obeys(campaign, arguments, folder, before.seconds + 0.7)
    return wrong


def rows_are_there(path, bomb):
    with open(path, newline="", errors="surrogateescape") as rows:
        table = list(csv.reader(rows))[1:]
    wrong = []
    if len(table) != 5:
        wrong.append("%d rows, wanted 5" % len(table))
    if sum(1 for row in table if bomb in row[0]) != 1:
        wrong.append("no row of %s" % bomb)
    if any(row[-1] for row in table if bomb not in row[0]):
        wrong.append("a sound picture has an error: %s" % [row for row in table if row[-1]])
    return wrong


def obeys(campaign, arguments, folder, after):
    for left in ("s.csv", "r.csv", "s.json", "g.png", "p.resflow-pack", "q.resflow"):
        (folder / left).unlink(missing_ok=True)
    arguments = arguments + (["--overwrite"] if arguments[0] in ("score", "train") else [])
    outcome = campaign.program.run(arguments, folder, seconds=after + 30, limits=GUARD, signal_after=after,
                                   signal_number=signal.SIGINT)
    if outcome.hung:
        return ["Ctrl-C is not obeyed within 30 s"]
    if outcome.code == 130 and outcome.cpu_after > OBEYED:
        return ["Ctrl-C is obeyed after %.1f s of a thread, wanted 1 s" % outcome.cpu_after]
    return []


def open_archive(campaign, bomb, rows, folder):
    before = usual(campaign, "score")
    tree.lay(campaign.stage / "model.resflow", folder / "model.resflow")
    bomb.write(folder / bomb.name)
    outcome = campaign.program.run(commands_of(bomb.name)["score"], folder, seconds=3 * SECONDS, limits=GUARD)
    wrong = judged_end(outcome, (0,) if rows else (0, 3)) + budgets(outcome, before, 0)
    if outcome.code == 0:
        with open(folder / "s.csv", newline="") as table:
            sound = [row for row in list(csv.reader(table))[1:] if row[0].endswith("sound.ppm") and not row[-1]]
        if rows and len(sound) != 1:
            wrong.append("the sound member has no row")
    return wrong


# What a checkpoint may say that nobody may believe: fields of its manifest (io/checkpoint/checkpoint.proto).
def history_of(points):
    epoch = [b"\x08" + varint(number) + field(2, loss) + field(4, loss) + field(6, 1e-3) for number, loss in points]
    return message(7, b"".join(message(10, e) for e in epoch))


CHECKPOINTS = {
    "crop-0": message(3, b"\x10\0"),
    "crop-huge": message(3, b"\x10\xff\xff\xff\xff\x07"),
    "resize-0": message(3, b"\x08\0"),
    "resize-huge": message(3, b"\x08\xff\xff\xff\xff\x07"),
    "resize-negative": message(3, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    "history-next-values": history_of([(1, 1.0), (2, 1.0000000000000002)]),
    "history-late-epochs": history_of([(2 ** 62, 1.0), (2 ** 62 + 2, 2.0)]),
    "history-not-finite": history_of([(1, float("nan")), (2, float("inf"))]),
}


def believe(campaign, name, extra, command, folder):
    before = usual(campaign, "score")
    lay(campaign, folder)
    (folder / "model.resflow").unlink()
    (folder / "model.resflow").write_bytes(patched((campaign.stage / "model.resflow").read_bytes(), extra))
    arguments = {"score": commands_of("data")["score"],
                 "evaluate": ["evaluate", "model.resflow", "data", "--out", "r.html", "--threads", "1"],
                 "preview": ["preview", "data", "--model", "model.resflow", "--out", "g.png", "--batch", "2",
                             "--image-size", "32", "--threads", "1"],
                 "inspect": ["inspect", "model.resflow", "--plan", "--threads", "1"]}[command]
    outcome = campaign.program.run(arguments, folder, seconds=3 * SECONDS, limits=GUARD)
    allowed = (0, 3) if name.startswith("history") else (3,)
    return judged_end(outcome, allowed) + budgets(outcome, before, 0)


def trials(campaign):
    for bomb in PICTURES:
        if campaign.sample and bomb.heavy:
            continue
        names = list(commands_of("data"))
        if campaign.sample and bomb.name != "wide.png":
            names = ["score"]
        for name in names:
            yield Trial("bombs/%s/%s" % (bomb.name, name), lambda folder, b=bomb, n=name: blow(campaign, b, n, folder),
                        "resflow " + " ".join(commands_of("data")[name]))
    for bomb, rows in ARCHIVES:
        if not (campaign.sample and bomb.heavy):
            yield Trial("bombs/%s" % bomb.name, lambda folder, b=bomb, r=rows: open_archive(campaign, b, r, folder),
                        "resflow " + " ".join(commands_of(bomb.name)["score"]))
    for name, extra in CHECKPOINTS.items():
        for command in ("score", "evaluate", "preview", "inspect"):
            if campaign.sample and command != ("evaluate" if name.startswith("history") else "preview"):
                continue
            yield Trial("bombs/checkpoint-%s/%s" % (name, command), lambda folder, n=name, e=extra, c=command:
                        believe(campaign, n, e, c, folder))
