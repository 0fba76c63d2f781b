"""Debian's PyTorch and the safetensors package against resflow's files.

    safetensors_peer.py FOLDER

Reads FOLDER/ours.safetensors and writes the bytes of its tensors to FOLDER/NAME.bin, with a line "NAME dtype shape" and
lines "metadata KEY VALUE" on standard output. Writes FOLDER/theirs.safetensors with tensors of resflow's dtypes in no
special order. Says of every file in FOLDER/judge whether it can be opened: "FILE accepted" or "FILE refused".
"""
import os
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

folder = sys.argv[1]

with safe_open(os.path.join(folder, "ours.safetensors"), framework="pt") as ours:
    for name in ours.keys():
        tensor = ours.get_tensor(name)
        print(name, str(tensor.dtype).replace("torch.", ""), list(tensor.shape))
        with open(os.path.join(folder, name + ".bin"), "wb") as file:
            file.write(bytes(tensor.reshape(-1).view(torch.uint8).tolist()))
    for key, value in (ours.metadata() or {}).items():
        print("metadata", key, value)

torch.manual_seed(0)
theirs = {
    "zeta": torch.randn(3, 5),
    "layer.weight": torch.randn(4, 3, 3, 3),
    "steps": torch.tensor(1234567890123),
    "alpha.half": torch.randn(7).half(),
    "Beta \u00e4\"\\\t": torch.randn(2, 2).bfloat16(),
    "bytes": torch.arange(13, dtype=torch.uint8),
    "ints": torch.arange(-3, 4, dtype=torch.int32),
    "doubles": torch.randn(2, 1, dtype=torch.float64),
    "nothing": torch.zeros(0, 4),
    "not a number": torch.tensor([float("nan"), float("inf"), -float("inf")]),
}
save_file(theirs, os.path.join(folder, "theirs.safetensors"), metadata={"format": "pt \u00e4 \"quoted\"\n"})

judge = os.path.join(folder, "judge")
for name in sorted(os.listdir(judge)):
    try:
        with safe_open(os.path.join(judge, name), framework="pt") as file:
            for key in file.keys():
                file.get_tensor(key)
        print(name, "accepted")
    except Exception:
        print(name, "refused")
