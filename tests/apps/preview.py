"""Compares the tiles of a grid with what torchvision makes of the files.

preview.py GRID LIST       a line of LIST, for the recipe of training:   X Y SIDE SCALE train LEFT TOP WIDTH HEIGHT FLIP PATH
                           of evaluation:                                X Y SIDE SCALE eval RESIZE 0 0 0 0 PATH
                           X, Y and SIDE are those of the tile. Prints the number of values that differ.
"""
import sys

import numpy
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

grid = Image.open(sys.argv[1])
assert grid.format == "PNG" and grid.mode == "RGB", (grid.format, grid.mode)
differing = 0
for line in open(sys.argv[2]):
    *numbers, path = line.rstrip("\n").split(" ", 10)
    recipe = numbers.pop(4)
    x, y, side, scale, a, b, width, height, flip = map(int, numbers)
    picture = Image.open(path).convert("RGB")
    size = side // scale
    if recipe == "train":
        picture = functional.resized_crop(picture, b, a, height, width, [size, size])
        if flip:
            picture = functional.hflip(picture)
    else:
        picture = transforms.CenterCrop(size)(transforms.Resize(a)(picture))
    wanted = numpy.asarray(picture).repeat(scale, 0).repeat(scale, 1)
    differing += int((numpy.asarray(grid.crop((x, y, x + side, y + side))) != wanted).sum())
print(differing)
