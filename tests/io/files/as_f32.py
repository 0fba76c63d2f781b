"""Writes to FOLDER what NumPy and PyTorch make of values as f32: f16.f32 and bf16.f32 of all 65536 patterns of bits,
and f64.in, f64.f32 of numbers at the edges of f32 and between them."""
import sys

import numpy as np
import torch

folder = sys.argv[1]
bits = np.arange(65536, dtype=np.uint16)
bits.view(np.float16).astype(np.float32).tofile(f"{folder}/f16.f32")
torch.from_numpy(bits.view(np.int16)).view(torch.bfloat16).to(torch.float32).numpy().tofile(f"{folder}/bf16.f32")

largest = float(np.finfo(np.float32).max)
smallest = 2.0**-149
edges = [0.0, 1.0, largest, largest * (1 + 2.0**-25), largest * (1 + 2.0**-24), 1e39, np.inf, np.nan, smallest,
         smallest / 2, smallest * 0.50001, smallest * 1.5, 2.0**-126 * (1 - 2.0**-25), 1 + 2.0**-24, 1 + 3 * 2.0**-24,
         5e-324, 1.7976931348623157e308]
random = np.random.default_rng(1)
anything = random.integers(0, 2**64, 20000, dtype=np.uint64).view(np.float64)
usual = random.normal(size=20000) * 10.0 ** random.uniform(-46, 39, 20000)
values = np.concatenate([edges, -np.array(edges), anything, usual])
values.tofile(f"{folder}/f64.in")
with np.errstate(all="ignore"):
    values.astype(np.float32).tofile(f"{folder}/f64.f32")
