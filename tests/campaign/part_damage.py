"""Part 9: flipped bits and lost ends of every format of our own: found (exit code 3), or the same content."""
import shutil

from . import judge, tree
from .driver import Trial

FLIPS = {"^1": lambda b: b ^ 1, "^80": lambda b: b ^ 0x80, "=0": lambda b: 0, "=ff": lambda b: 0xff}
SMALL = ["--threads", "1"]
FEATURES = ["--mode", "features", "--weights", "model.resflow", "--image-size", "32", "--batch", "2", "--epochs", "1",
            *SMALL]

# Format: (the file, what it needs, the command, what it makes, bytes at its begin and end that count most).
FORMATS = {
    "checkpoint": ("model.resflow", [], ["inspect", "model.resflow", "--verify", "--json"], "", 12000),
    "safetensors": ("model.safetensors", [], ["convert", "model.safetensors", "w.pth"], "w.pth", 12000),
    "pth": ("model.pth", [], ["convert", "model.pth", "w.safetensors"], "w.safetensors", 4000),
    "pack": ("val.resflow-pack", ["model.resflow"],
             ["score", "model.resflow", "val.resflow-pack", "--out", "s.csv", "--executors", "1", *SMALL], "s.csv", 4000),
    "shard": ("1.csv.shard", ["1.csv", "2.csv", "2.csv.shard", "1.npy", "2.npy", "1.errors.csv", "2.errors.csv"],
              ["merge", "1.csv", "2.csv", "--out", "all.csv", "--embeddings", "all.npy", "--errors",
               "all.errors.csv"],
              "all.csv", 4000),
    "features": ("features/val.features", ["features", "photos", "model.resflow"],
                 ["train", "photos", "--out", "run", "--feature-cache", "features", *FEATURES],
                 "run/best.resflow", 4000),
    "last": ("run/last.resflow", ["run", "photos"],
             ["train", "photos", "--out", "run", "--resume", "--epochs", "2", *SMALL], "run/best.resflow", 12000),
}
# It has no checksums, and is not a format of our own: of a changed byte nobody can know.
UNCHECKED = {"safetensors"}
# Beyond that there are values, each under a checksum: these many places are enough.
VALUES = 200


def lay(campaign, name, folder):
    source, needs, _, _, _ = FORMATS[name]
    for need in needs:
        (tree.copy if need in ("features", "run") else tree.lay)(campaign.stage / need, folder / need)
    target = folder / source
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(campaign.stage / source, target)
    return target


def made(campaign, name, outcome, folder):
    path = FORMATS[name][3]
    if not path:
        return outcome.out
    return tree.digest(folder / path) if (folder / path).exists() else ""


_sound = {}


def sound(campaign, name):
    if name not in _sound:
        with campaign.folder() as folder:
            lay(campaign, name, folder)
            outcome = campaign.program.run(FORMATS[name][2], folder)
            if outcome.code != 0:
                raise RuntimeError("of the sound file it ends with %d: %s" % (outcome.code, outcome.err))
            _sound[name] = made(campaign, name, outcome, folder)
    return _sound[name]


def damage(campaign, name, at, how, folder):
    wanted = sound(campaign, name)
    target = lay(campaign, name, folder)
    with open(target, "r+b") as file:
        if how == "cut":
            file.truncate(at)
        else:
            file.seek(at)
            old = file.read(1)[0]
            new = FLIPS[how](old)
            if new == old:
                return []
            file.seek(at)
            file.write(bytes([new]))
    outcome = campaign.program.run(FORMATS[name][2], folder)
    wrong = judge.exit_code(outcome, {0, 3})
    found_out = name not in UNCHECKED or how == "cut"
    if outcome.code == 0 and found_out and made(campaign, name, outcome, folder) != wanted:
        # A picture of a pack may be lost, and is named; features are computed anew.
        told = (outcome.err + outcome.out).lower()
        if FORMATS[name][3].endswith(".csv"):
            told += (folder / FORMATS[name][3]).read_text(errors="replace").lower()
        if not any(word in told for word in ("broken", "damag", "cannot be read", "lost")):
            wrong.append("damage is not found, and the content is another one")
    return wrong


def places(size, around):
    edge = min(around, size)
    return sorted({*range(edge), *range(max(0, size - 64), size), *range(0, size, max(1, size // VALUES))})


def trials(campaign):
    only = [name.split("/") for name in campaign.options.only if name.startswith("damage/")]
    for name, (source, _, _, _, around) in FORMATS.items():
        tried = [(int(o[2]), o[3]) for o in only if o[1] == name]
        if not tried and not only:
            size = (campaign.stage / source).stat().st_size
            draw = campaign.random("damage", name)
            every = places(size, around)
            if campaign.sample:
                count = 4 if name in ("features", "last") else 8
                tried = [(draw.choice(every), draw.choice([*FLIPS, "cut"])) for _ in range(count)]
            else:
                tried = [(at, how) for at in every for how in [*FLIPS, "cut"]]
                if name in ("features", "last"):
                    tried = draw.sample(tried, min(len(tried), 2000))
        for at, how in tried:
            yield Trial("damage/%s/%d/%s" % (name, at, how), lambda folder, n=name, a=at, h=how:
                        damage(campaign, n, a, h, folder), "resflow " + " ".join(FORMATS[name][2]))
