"""The whole job, from the command to a model: ResNet-34, Adam 1e-4, batch 6, validation after each epoch. Photographs passed
over, both halves and all epochs, a second of the process's life. The values of the weights do not matter here."""
import os
import time

from .measure import CORES, DATA, DEBIAN_PYTHON, PEER_SCRIPTS, PROGRAM, count, ratio_row, run

RANDOM_WEIGHTS = """
import sys, torch, torchvision
torch.manual_seed(0)
torch.save(torchvision.models.resnet34().state_dict(), sys.argv[1])
"""


def rows(rounds, wanted, folder, epochs):
    if not wanted("job"):
        return
    weights = os.path.join(folder, "resnet34.pth")
    run([DEBIAN_PYTHON, "-c", RANDOM_WEIGHTS, weights])
    pictures = epochs * (count("train") + count("val"))

    def rate(command):
        began = time.perf_counter()
        run(command)
        return pictures / (time.perf_counter() - began)

    def train(*mode):
        return rate([PROGRAM, "train", DATA, "--weights", weights, "--threads", str(len(CORES)), "--out",
                     os.path.join(folder, "run"), "--overwrite", *mode])

    steps = ["--lr", "1e-4", "--batch", "6", "--epochs", str(epochs)]  # an SVM has none

    runs = {
        "seed": lambda: rate([DEBIAN_PYTHON, f"{PEER_SCRIPTS}/seed_job.py", DATA, str(epochs), "6", "0"]),
        "seed channels_last": lambda: rate([DEBIAN_PYTHON, f"{PEER_SCRIPTS}/seed_job.py", DATA, str(epochs), "6", "0", "cl"]),
        "finetune": lambda: train(*steps, "--mode", "finetune"),
        "partial": lambda: train(*steps, "--mode", "partial", "--freeze", "conv1,bn1,layer1,layer2,layer3"),
        "features": lambda: train(*steps, "--mode", "features"),
        "svm": lambda: train("--mode", "svm"),
    }
    rates = {name: [] for name in runs}
    for _ in range(rounds):
        for name, measure in runs.items():
            rates[name].append(measure())
    job = f"job of {epochs} epochs"
    for mode, bar, peer_name, theirs in (("finetune", 1.35, "the job in torch 1.13", "seed"),
                                         ("finetune", 1.0, "the same, channels_last", "seed channels_last"),
                                         ("partial", 2.0, "finetune of resflow", "finetune"),
                                         ("features", 20.0, "the job in torch 1.13", "seed"),
                                         ("svm", 20.0, "the job in torch 1.13", "seed")):
        yield ratio_row(f"{job}, {mode}", bar, peer_name, rates[theirs], rates[mode])
