"""Training steps on synthetic pictures, and the memory that they take."""
from .measure import DEBIAN_PYTHON, PEER_SCRIPTS, peer, ratio_row, resflow_train, take_turns

TORCH = "torch 1.13 channels_last"


def torch_train(batch):
    return peer([DEBIAN_PYTHON, f"{PEER_SCRIPTS}/torch_train.py", "resnet34", str(batch), "cl", "5" if batch > 8 else "12"])


def memory_row(them, us):
    theirs, ours = max(peak for _, peak in them), max(peak for _, peak in us)
    return {"what": "peak memory, train resnet34 batch 32", "unit": "MB", "peer": TORCH, "peer_best": theirs / 1e6,
            "peer_median": theirs / 1e6, "resflow_best": ours / 1e6, "resflow_median": ours / 1e6, "ratio": ours / theirs,
            "bar": 0.75, "met": ours / theirs <= 0.75}


def rows(rounds, wanted):
    for batch, bar in ((32, 1.25), (6, 1.15)):
        name = f"train resnet34 batch {batch}"
        if not wanted(name):
            continue
        them, us = take_turns(rounds, lambda: torch_train(batch), lambda: resflow_train(batch))
        yield ratio_row(name, bar, TORCH, [rate for rate, _ in them], [rate for rate, _ in us])
        if batch == 32:
            yield memory_row(them, us)
