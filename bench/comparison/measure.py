"""How both sides are run and what a row of the table is."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.normpath(os.path.join(ROOT, "..", "shared"))
PROGRAM = os.path.join(ROOT, "build", "release", "resflow")
PEERS = os.environ.get("PEERS", "/tmp/peers")
PEER_SCRIPTS = os.path.join(SHARED, "peers")
DATA = os.path.join(SHARED, "data", "animals4")
DEBIAN_PYTHON = "/usr/bin/python3"
PEERS_PYTHON = os.path.join(PEERS, "bin", "python")
CORES = sorted(os.sched_getaffinity(0))[:2]


def run(command):
    """Runs a command on CORES; returns its standard output and the peak resident bytes of its process."""
    with tempfile.TemporaryFile("w+") as out:
        environment = dict(os.environ, OMP_NUM_THREADS=str(len(CORES)), PEERS=PEERS)
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=environment,
                                 preexec_fn=lambda: os.sched_setaffinity(0, CORES))
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0)
        text = out.read()
    if status != 0:
        sys.exit(f"compare: {' '.join(command)} ended with status {status}\n{text}")
    return text, usage.ru_maxrss * 1024


def peer(command, pattern=r"([0-9.]+) img/s"):
    """img/s of the last line that a peer script prints, and its peak memory."""
    text, peak = run(command)
    rates = re.findall(pattern, text)
    if not rates:
        sys.exit(f"compare: no img/s in what {' '.join(command)} printed:\n{text}")
    return float(rates[-1]), peak


def resflow_bench(*arguments):
    """img/s that `resflow bench` reports, and its peak memory."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        _, peak = run([PROGRAM, "bench", *arguments, "--threads", str(len(CORES)), "--json", report.name])
        return json.load(open(report.name))["images_per_second"], peak


def resflow_train(batch):
    """img/s of training steps of ResNet-34 on synthetic pictures, and the peak memory."""
    return resflow_bench("train", "--model", "resnet34", "--batch", str(batch), "--seconds", "30" if batch > 8 else "15")


def resflow_score(model, batch=32, precision="f32"):
    """img/s of forward passes on synthetic pictures, and the peak memory."""
    return resflow_bench("score", "--model", model, "--batch", str(batch), "--precision", precision, "--seconds", "8")


def resflow_load(recipe, *more, data=f"{DATA}/train", batch=32):
    """img/s of the loader alone, and the peak memory."""
    return resflow_bench("load", "--recipe", recipe, "--data", data, "--batch", str(batch), "--seconds", "10", *more)


def count(part):
    """Photographs of one half of DATA, as torchvision's ImageFolder and resflow count them: a GIF is none."""
    return sum(name.lower().endswith((".jpg", ".jpeg")) for _, _, files in os.walk(os.path.join(DATA, part)) for name in files)


def ratio_row(name, bar, peer_name, theirs, ours, unit="img/s"):
    """A row from the rates of all rounds: more is better."""
    row = {"what": name, "unit": unit, "peer": peer_name, "peer_best": max(theirs),
           "peer_median": statistics.median(theirs), "resflow_best": max(ours), "resflow_median": statistics.median(ours),
           "ratio": statistics.median(ours) / statistics.median(theirs), "bar": bar}
    row["met"] = row["ratio"] >= bar
    return row


def take_turns(rounds, theirs, ours):
    """Rates of both sides in turns, and the largest memory of each: [(rate, peak), ...] of them, of us."""
    turns = [(theirs(), ours()) for _ in range(rounds)]
    return [turn[0] for turn in turns], [turn[1] for turn in turns]


def rate_row(name, bar, peer_name, theirs, ours, rounds, unit="img/s"):
    """One row of two functions that return a rate and a peak."""
    them, us = take_turns(rounds, theirs, ours)
    return ratio_row(name, bar, peer_name, [rate for rate, _ in them], [rate for rate, _ in us], unit)
