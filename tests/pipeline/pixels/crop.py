"""crop.py FILE: what torchvision's RandomResizedCrop makes of given draws.

A line of FILE: width, height, then 64-bit draws in the order of use. Prints left, top, width, height.
"""
import sys

import torch
from PIL import Image
from torchvision.transforms import RandomResizedCrop

draws = iter(())


def uniform(tensor, low, high):
    return tensor.fill_(float(low) + (float(high) - float(low)) * ((next(draws) >> 11) * 2.0**-53))


def randint(low, high, size):
    return torch.full(size, low + (next(draws) * (high - low) >> 64), dtype=torch.int64)


torch.set_default_dtype(torch.float64)
torch.Tensor.uniform_ = uniform
torch.randint = randint
for line in open(sys.argv[1]):
    width, height, *rest = map(int, line.split())
    draws = iter(rest)
    picture = Image.new("L", (width, height))
    top, left, h, w = RandomResizedCrop.get_params(picture, (0.08, 1.0), (3.0 / 4.0, 4.0 / 3.0))
    print(left, top, w, h)
