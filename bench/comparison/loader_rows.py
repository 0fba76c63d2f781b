"""From files to batches: the loader alone, exact, with --decode fast and from a pack."""
import os

from .measure import DATA, DEBIAN_PYTHON, PEER_SCRIPTS, PROGRAM, peer, ratio_row, resflow_load, run

TORCHVISION = "torchvision 2 workers"


def torchvision_load(recipe):
    return peer([DEBIAN_PYTHON, f"{PEER_SCRIPTS}/loader.py", "2", recipe, f"{DATA}/train"])


def rows(rounds, wanted, folder):
    pack = os.path.join(folder, "train.resflow-pack")
    for recipe in ("train", "eval"):
        cases = {f"load {recipe} recipe, exact": (1.7, lambda: resflow_load(recipe)),
                 f"load {recipe} recipe, --decode fast": (4.0, lambda: resflow_load(recipe, "--decode", "fast")),
                 f"load {recipe} recipe, pack at 256": (4.0, lambda: resflow_load(recipe, data=pack))}
        cases = {name: case for name, case in cases.items() if wanted(name)}
        if any("pack" in name for name in cases) and not os.path.exists(pack):
            run([PROGRAM, "pack", f"{DATA}/train", pack, "--resize", "256"])
        theirs, ours = [], {name: [] for name in cases}
        for _ in range(rounds if cases else 0):
            theirs.append(torchvision_load(recipe)[0])
            for name, (_, measure) in cases.items():
                ours[name].append(measure()[0])
        for name, (bar, _) in cases.items():
            yield ratio_row(name, bar, TORCHVISION, theirs, ours[name])
