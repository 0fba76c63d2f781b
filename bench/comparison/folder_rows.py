"""Files to csv, the whole program: against what its parts allow, and against a loop in Python."""
import json
import os

from .measure import (CORES, DATA, DEBIAN_PYTHON, PEERS, PROGRAM, count, peer, ratio_row, resflow_load, resflow_score, run,
                      take_turns)


def model_of(folder):
    """An untrained ResNet-34: the values of the weights do not matter here."""
    run([PROGRAM, "train", f"{DATA}/train", "--model", "resnet34", "--epochs", "0", "--out", folder + "/run"])
    return os.path.join(folder, "run", "last.resflow")


def score(model, folder, data):
    report = os.path.join(folder, "score.json")
    _, peak = run([PROGRAM, "score", model, *data, "--threads", str(len(CORES)), "--json", report, "--out",
                   os.path.join(folder, "scores.csv")])
    return json.load(open(report))["images_per_second"], peak


def python_loop(folder, repeats):
    """torchvision's DataLoader, OpenVINO with requests in flight, csv: from the start of reading to the last row."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "score_folder.py")
    return peer([DEBIAN_PYTHON, script, f"{PEERS}/resnet34.onnx", f"{DATA}/train", str(repeats),
                 os.path.join(folder, "python.csv")])


def rows(rounds, wanted, folder):
    parts = "folder -> csv, resnet34"
    loop = "folder -> csv, resnet34, whole program"
    if not wanted(parts) and not wanted(loop):
        return
    model = model_of(folder)
    if wanted(parts):
        bounds, ours = [], []
        for _ in range(rounds):
            load, compute = resflow_load("eval")[0], resflow_score("resnet34")[0]
            bounds.append(1 / (1 / load + 1 / compute))
            ours.append(score(model, folder, [f"{DATA}/train", f"{DATA}/val"])[0])
        yield ratio_row(parts, 0.95, "1/(1/load + 1/model)", bounds, ours)
    if wanted(loop):
        repeats = 2
        them, us = take_turns(rounds, lambda: python_loop(folder, repeats),
                              lambda: score(model, folder, [f"{DATA}/train"] * repeats))
        assert sum(1 for _ in open(os.path.join(folder, "python.csv"))) == 1 + repeats * count("train")
        yield ratio_row(loop, 1.2, "DataLoader + OpenVINO", [rate for rate, _ in them], [rate for rate, _ in us])
