"""augment.py WHAT FILE: what torchvision's random transforms make of given draws.

A line of FILE: numbers as below, then 64-bit draws in the order of use.

jitter   brightness contrast saturation hue, and the order of the four     prints name value name value ...
rand     operations magnitude width height                                prints name magnitude name magnitude ...
trivial  width height                                                     prints name magnitude
erase    probability width height                                         prints left top width height, or four 0
"""
import sys

import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import autoaugment, functional

draws = iter(())
done = []


def unit():
    return (next(draws) >> 11) * 2.0**-53


def uniform(tensor, low, high):
    return tensor.fill_(float(low) + (float(high) - float(low)) * unit())


def randint(*arguments, size=None, dtype=None):
    if size is None:
        *arguments, size = arguments
    low, high = arguments if len(arguments) == 2 else (0, *arguments)
    return torch.full(size, low + (next(draws) * (high - low) >> 64), dtype=torch.int64)


def jitter(line):
    global draws
    brightness, contrast, saturation, hue = map(float, line[:4])
    torch.randperm = lambda count: torch.tensor([int(i) for i in line[4:8]])
    draws = iter([int(i) for i in line[8:]])
    transforms.ColorJitter(brightness, contrast, saturation, hue)(Image.new("RGB", (1, 1)))


def rand(line):
    global draws
    count, magnitude, width, height = map(int, line[:4])
    draws = iter([int(i) for i in line[4:]])
    transforms.RandAugment(count, magnitude)(Image.new("RGB", (width, height)))


def trivial(line):
    global draws
    draws = iter([int(i) for i in line[2:]])
    transforms.TrivialAugmentWide()(Image.new("RGB", (int(line[0]), int(line[1]))))


def erase(line):
    global draws
    width, height = map(int, line[1:3])
    draws = iter([int(i) for i in line[3:]])
    erased = transforms.RandomErasing(float(line[0]))(torch.ones(3, height, width))
    rows, columns = torch.nonzero(erased[0] == 0, as_tuple=True)
    if len(rows) == 0:
        done.extend([0, 0, 0, 0])
    else:
        left, top = int(columns.min()), int(rows.min())
        done.extend([left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1])
        assert int((erased == 0).sum()) == 3 * done[2] * done[3]


def note(name):
    def function(picture, value):
        done.extend([name, repr(value)])
        return picture

    return function


def note_op(picture, name, magnitude, interpolation, fill):
    assert interpolation == transforms.InterpolationMode.NEAREST and fill is None
    done.extend([name, repr(magnitude)])
    return picture


what = sys.argv[1]
if what in ("jitter", "erase"):
    torch.set_default_dtype(torch.float64)  # so that a draw keeps its 53 bits
torch.Tensor.uniform_ = uniform
torch.randint = randint
torch.rand = lambda count: torch.tensor([unit()])
autoaugment._apply_op = note_op
for factor in ("brightness", "contrast", "saturation", "hue"):
    setattr(functional, "adjust_" + factor, note(factor))
for text in open(sys.argv[2]):
    done = []
    globals()[what](text.split())
    print(*done)
