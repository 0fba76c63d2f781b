"""The command lines of the campaign: what each reads and writes, and how it is repeated after a failure."""
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from . import tree
from .stage import TRAINING

SMALL = ["--threads", "1"]
SCORE = ["--batch", "4", "--executors", "1", "--save-every", "0", *SMALL]
FEATURES = ["--image-size", "32", "--batch", "2", "--epochs", "1", *SMALL]


@dataclass
class Command:
    name: str
    arguments: list
    needs: list  # of the stage: laid as links
    copies: tuple = ()  # of the stage: what the command changes, as (name there, name here)
    old: tuple = ()  # outputs that are there before, with other bytes
    resume: tuple = ()  # what is added to repeat it after a failure
    may_leave: tuple = ()  # patterns of files that a failed run may leave, to go on from
    stdin: str = ""  # of the stage

    def lay(self, stage, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.needs:
            tree.lay(stage / name, folder / name)
        for source, target in self.copies:
            tree.copy(stage / source, folder / target)
        for name in self.old:
            (folder / name).write_bytes(b"the former file\n")

    def run(self, program, folder, fault=None, again=False, **more):
        arguments = self.arguments + (list(self.resume) if again else [])
        if not self.stdin:
            return program.run(arguments, folder, fault, **more)
        with open(folder / self.stdin, "rb") as stdin:
            return program.run(arguments, folder, fault, stdin=stdin, **more)

    def line(self):
        return "resflow " + " ".join(self.arguments) + (" < " + self.stdin if self.stdin else "")

    def leaves(self, path):
        return any(fnmatch(path, pattern) for pattern in self.may_leave)


def score(name, arguments, needs, out="", **more):
    leave = ("*.partial", "*.partial*", "*.journal", "*.shard") if out else ()
    return Command(name, ["score", "model.resflow", *arguments, *(["--out", out] if out else []),
                          *(SCORE if out else SCORE[:4] + SMALL)],
                   ["model.resflow", *needs], resume=("--resume",) if out else (), may_leave=leave, **more)


def all_commands():
    photos, model = "photos", "model.resflow"
    train = ["train", photos, "--out", "run"]
    run_leaves = ("run", "run/*")
    commands = [
        Command("train", [*train, "--epochs", "2", "--save-every", "1", *TRAINING], [photos], resume=("--resume",),
                may_leave=run_leaves),
        Command("train-resume", [*train, "--resume", "--epochs", "2", *SMALL], [photos], copies=(("run", "run"),),
                may_leave=run_leaves),
        Command("train-config", [*train, "--config", "train.toml"], [photos, "train.toml"], resume=("--resume",),
                may_leave=run_leaves),
        # Of another seed than the run that it replaces: its first state is another one.
        Command("train-overwrite", [*train, "--epochs", "1", "--overwrite", "--seed", "1", *TRAINING], [photos],
                copies=(("run", "run"),), may_leave=run_leaves),
        Command("train-features", [*train, "--mode", "features", "--weights", model, *FEATURES], [photos, model],
                resume=("--resume",), may_leave=run_leaves),
        Command("train-svm", [*train, "--mode", "svm", "--weights", model, "--image-size", "32", "--svm-folds", "2",
                              "--svm-c", "1", *SMALL], [photos, model], resume=("--resume",), may_leave=run_leaves),
        Command("train-folds", ["train", "photos/train", "--out", "run", "--folds", "2", "--epochs", "1", *TRAINING],
                [photos], resume=("--resume",), may_leave=("run*",)),
        score("score-csv", [photos, "--embeddings", "e.npy", "--errors", "errors.csv"], [photos], "s.csv"),
        score("score-old", ["photos/val"], [photos], "s.csv", old=("s.csv",)),
        score("score-unordered", [photos, "--unordered"], [photos], "s.csv"),
        score("score-jsonl", [photos, "--top", "2", "--all-scores"], [photos], "s.jsonl"),
        score("score-npy", [photos], [photos], "s.npy"),
        score("score-npz", [photos], [photos], "s.npz"),
        score("score-shard", [photos, "--shard", "1/2"], [photos], "s.csv"),
        score("score-stdout", ["photos/val"], [photos]),
        score("score-list", ["--list", "list.txt"], [photos, "list.txt"], "s.csv"),
        score("score-ids", ["--list", "ids.txt", "--list-ids"], [photos, "ids.txt"], "s.csv"),
        score("score-stdin", ["-"], [photos, "list.txt"], "s.csv", stdin="list.txt"),
        score("score-tar", ["photos.tar"], ["photos.tar"], "s.csv"),
        score("score-tar-gz", ["photos.tar.gz"], ["photos.tar.gz"], "s.csv"),
        score("score-zip", ["photos.zip"], ["photos.zip"], "s.csv"),
        score("score-pattern", ["photos/*/dark/*.p*"], [photos], "s.csv"),
        score("score-pack", ["val.resflow-pack"], ["val.resflow-pack"], "s.csv"),
        Command("merge", ["merge", "1.csv", "2.csv", "--out", "all.csv", "--embeddings", "all.npy", "--errors",
                          "all.errors.csv"],
                [f"{i}.{what}" for i in "12" for what in ("csv", "csv.shard", "npy", "errors.csv")],
                old=("all.csv",)),
        Command("pack", ["pack", "photos/train", "p.resflow-pack", *SMALL], [photos],
                copies=(("val.resflow-pack", "p.resflow-pack"),)),
        Command("pack-resize", ["pack", "photos/train", "p.resflow-pack", "--resize", "32", *SMALL], [photos]),
    ]
    for how in ("symlink", "hardlink", "copy", "list", "move"):
        arguments = ["split", "data", "--out", "parts", "--how", how, "--val", "0.3", *SMALL]
        commands.append(Command("split-" + how, arguments, [], copies=(("photos/train", "data"),),
                                may_leave=("parts.partial*", "parts.old*", "parts.lock")))
    commands += [
        Command("convert-safetensors", ["convert", model, "w.safetensors"], [model], old=("w.safetensors",)),
        Command("convert-pth", ["convert", model, "w.pth"], [model]),
        Command("convert-onnx", ["convert", model, "w.onnx"], [model]),
        Command("convert-resflow", ["convert", "model.safetensors", "w.resflow", "--classes", "names.txt"],
                ["model.safetensors", "names.txt"], old=("w.resflow",)),
        Command("convert-from-pth", ["convert", "model.pth", "w.safetensors"], ["model.pth"]),
        Command("quantize", ["quantize", model, photos, "--out", "q.resflow", "--samples", "2", "--max-drop", "100",
                             "--json", "q.json", *SMALL], [model, photos], old=("q.resflow",)),
        Command("evaluate", ["evaluate", model, photos, "--out", "r.html", "--csv", "r.csv", "--json", "r.json",
                             *SMALL], [model, photos], old=("r.csv",)),
        Command("stats", ["stats", photos, "--json", "s.json", "--image-size", "32", *SMALL], [photos],
                old=("s.json",)),
        Command("preview", ["preview", photos, "--out", "g.png", "--batch", "4", "--image-size", "32", *SMALL],
                [photos], old=("g.png",)),
        Command("inspect", ["inspect", model, "--verify", "--json"], [model]),
        Command("inspect-diff", ["inspect", model, "--diff", "model.safetensors"], [model, "model.safetensors"]),
    ]
    return commands


def command(name):
    return next(c for c in all_commands() if c.name == name)


# These have seconds in them, which may be the same twice.
TIMED = {"history.csv", "report.html"}


@dataclass
class Reference:
    """What a command does where nothing fails."""
    before: dict
    after: dict  # what is the same each time
    changing: set  # paths that are there with other bytes each time (times are in them)
    code: int
    out: str  # without times; "" where it is another each time
    calls: list
    seconds: float


def references(campaign, chosen, calls="files,threads"):
    """[(command, its reference, or a sentence why there is none)]"""
    def one(command):
        try:
            return command, reference(campaign, command, calls)
        except RuntimeError as error:
            return command, str(error)
    campaign.stage
    with ThreadPoolExecutor(campaign.options.jobs) as pool:
        return list(pool.map(one, chosen))


def reference(campaign, chosen, calls="files,threads"):
    """Runs the command twice. The first run traces the calls that a fault may meet."""
    from .program import Fault
    states, outcomes = [], []
    for turn in range(2):
        with campaign.folder() as folder:
            chosen.lay(campaign.stage, folder)
            before = tree.snapshot(folder)
            fault = Fault(calls=calls, trace=True) if turn == 0 and calls else None
            outcomes.append(chosen.run(campaign.program, folder, fault, seconds=120))
            states.append(tree.snapshot(folder))
    first, second = states
    after = {path: first[path] for path in first if second.get(path) == first[path]}
    after = {path: what for path, what in after.items() if Path(path).name not in TIMED}
    changing = {path for path in {*first, *second} if path not in after}
    if any(outcome.code not in (0, 1) for outcome in outcomes):
        raise RuntimeError("%s ended with %d: %s" % (chosen.line(), outcomes[0].code, outcomes[0].err))
    said = [steady(outcome.out) for outcome in outcomes]
    return Reference(before, after, changing, outcomes[0].code, said[0] if said[0] == said[1] else "", outcomes[0].calls, outcomes[1].seconds)


def steady(text):
    """Without the times in it, which may be the same twice."""
    return re.sub(r"[0-9.]+ (s|ms|img/s)\b", "", text)


def is_event_file(path):
    """TensorBoard's files have the time in their names: another one each time."""
    return "tensorboard" in Path(path).parts
