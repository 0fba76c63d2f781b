"""Runs exported models by onnxruntime.

  onnx_run.py FOLDER NAME HEIGHT WIDTH [NAME HEIGHT WIDTH ...]

NAME.onnx runs on NAME.pixels, f32 (4,3,HEIGHT,WIDTH): the first picture alone, then the other three. NAME.logits is
what resflow says; printed is "NAME DIFFERENCE", max |d| / max |logit| of the worse batch.
"""
import sys

import numpy as np
import onnxruntime

folder, cases = sys.argv[1], sys.argv[2:]
for name, height, width in zip(cases[::3], cases[1::3], cases[2::3]):
    pixels = np.fromfile(f"{folder}/{name}.pixels", np.float32).reshape(4, 3, int(height), int(width))
    wanted = np.fromfile(f"{folder}/{name}.logits", np.float32).reshape(4, -1)
    session = onnxruntime.InferenceSession(f"{folder}/{name}.onnx", providers=["CPUExecutionProvider"])
    worst = 0.0
    for rows in (slice(0, 1), slice(1, 4)):
        (logits,) = session.run(["logits"], {"input": pixels[rows]})
        assert logits.shape == wanted[rows].shape, logits.shape
        worst = max(worst, np.abs(logits - wanted[rows]).max() / np.abs(wanted[rows]).max())
    print(name, worst)
