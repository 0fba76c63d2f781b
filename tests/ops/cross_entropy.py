"""torch's cross entropy of given logits: prints the loss, writes its gradient.

cross_entropy.py FOLDER ROWS CLASSES SMOOTHING WEIGHTED SOFT
FOLDER holds logits.f32, labels.i32 (where SOFT is 1 targets.f32 instead) and weights.f32; FOLDER/gradient.f64 is written. In f64: the exact answer.
"""
import sys

import numpy as np
import torch

folder, rows, classes, smoothing, weighted, soft = sys.argv[1], *map(float, sys.argv[2:])
logits = np.fromfile(folder + "/logits.f32", np.float32).reshape(int(rows), int(classes)).astype(np.float64)
if soft:
    labels = np.fromfile(folder + "/targets.f32", np.float32).reshape(logits.shape).astype(np.float64)
else:
    labels = np.fromfile(folder + "/labels.i32", np.int32).astype(np.int64)
weights = np.fromfile(folder + "/weights.f32", np.float32).astype(np.float64)
z = torch.from_numpy(logits).requires_grad_()
loss = torch.nn.functional.cross_entropy(
    z, torch.from_numpy(labels), torch.from_numpy(weights) if weighted else None, label_smoothing=smoothing)
loss.backward()
z.grad.numpy().tofile(folder + "/gradient.f64")
print(repr(loss.item()))
