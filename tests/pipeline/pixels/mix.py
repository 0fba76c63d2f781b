"""mix.py FOLDER: mixup and cutmix of a batch by PyTorch, as torchvision's reference training writes them.

A line of FOLDER/cases.txt: kind, rows, size, classes, lambda, and cutmix's box: left top width height. FOLDER/source.raw
holds the batches' f32 pixels, and then their int32 labels; FOLDER/mixed.raw gets the mixed pixels and f32 targets.
"""
import sys

import numpy
import torch

folder = sys.argv[1]
with open(folder + "/source.raw", "rb") as source, open(folder + "/mixed.raw", "wb") as mixed:
    for line in open(folder + "/cases.txt"):
        kind, *numbers = line.split()
        rows, size, classes = map(int, numbers[:3])
        part = float(numbers[3])
        left, top, width, height = map(int, numbers[4:])
        pixels = numpy.frombuffer(source.read(rows * 3 * size * size * 4), numpy.float32)
        batch = torch.from_numpy(pixels.reshape(rows, 3, size, size).copy())
        labels = torch.from_numpy(numpy.frombuffer(source.read(rows * 4), numpy.int32).astype(numpy.int64))
        target = torch.nn.functional.one_hot(labels, num_classes=classes).to(dtype=batch.dtype)
        batch_rolled, target_rolled = batch.roll(1, 0), target.roll(1, 0)
        if kind == "mixup":
            batch.mul_(part).add_(batch_rolled.mul_(1.0 - part))
        elif kind == "cutmix":
            box = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
            batch[box] = batch_rolled[box]
        if kind != "none":
            target.mul_(part).add_(target_rolled.mul_(1.0 - part))
        mixed.write(batch.numpy().tobytes())
        mixed.write(target.numpy().tobytes())
