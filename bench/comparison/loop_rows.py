"""Epochs of training from files, against 1/(1/load + 1/model) of the parts measured in the same turns."""
import os

from .measure import CORES, DATA, PROGRAM, count, ratio_row, resflow_load, resflow_train, run


def rows(rounds, wanted, folder):
    name = "training loop from files, batch 6"
    if not wanted(name):
        return
    bounds, ours = [], []
    for _ in range(rounds):
        load, compute = resflow_load("train", batch=6)[0], resflow_train(6)[0]
        bounds.append(1 / (1 / load + 1 / compute))
        out = os.path.join(folder, "hidden")
        run([PROGRAM, "train", f"{DATA}/train", "--model", "resnet34", "--lr", "1e-4", "--batch", "6", "--epochs", "2",
             "--threads", str(len(CORES)), "--out", out, "--overwrite"])
        with open(os.path.join(out, "history.csv")) as history:
            seconds = [float(line.split(",")[6]) for line in history.readlines()[1:]]
        ours.append(len(seconds) * count("train") / sum(seconds))
    yield ratio_row(name, 0.93, "1/(1/load + 1/model)", bounds, ours)
