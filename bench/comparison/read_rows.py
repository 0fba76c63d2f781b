"""Reading a state dict of torchvision's resnext101_64x4d from the page cache: the first time in a process, and the median of
later times."""
import json
import os

from .measure import DEBIAN_PYTHON, PROGRAM, peer, rate_row, run

TORCH_LOAD = """
import statistics, sys, time, torch
times = []
for _ in range(30):
    start = time.perf_counter()
    tensors = torch.load(sys.argv[1])
    times.append(time.perf_counter() - start)
    size = sum(t.numel() * t.element_size() for t in tensors.values()) / 1e6
    del tensors
print(size / times[0], "MB/s first,", size / statistics.median(times[1:]), "MB/s then")
"""


def rows(rounds, wanted, folder):
    if not wanted("read"):
        return
    file = os.path.join(folder, "resnext101_64x4d.pth")
    run([DEBIAN_PYTHON, "-c", "import sys, torch, torchvision; "
         "torch.save(torchvision.models.resnext101_64x4d().state_dict(), sys.argv[1])", file])

    def resflow_read(first):
        report = os.path.join(folder, "read.json")
        _, peak = run([PROGRAM, "bench", "read", file, "--seconds", "2", "--json", report])
        read = json.load(open(report))
        return (read["bytes"] / 1e3 / read["first_ms"] if first else read["megabytes_per_second"]), peak

    for what, which, first in (("first time", "first", True), ("again", "then", False)):
        yield rate_row(f"read .pth of 334 MB, {what}", 1.0, "torch.load 1.13",
                       lambda: peer([DEBIAN_PYTHON, "-c", TORCH_LOAD, file], rf"([0-9.]+) MB/s {which}"),
                       lambda: resflow_read(first), rounds, "MB/s")
