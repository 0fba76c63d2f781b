"""fast_decode.py SIZE LIST: what Pillow's draft and resize(box=...) make of JPEGs, as one number each.

A line of LIST: divisor of the size; left top width height of a crop; width height of what it becomes; left top of the
SIZE x SIZE that is kept of that; flip; path.
"""
import math
import sys

import numpy
import torch
from PIL import Image, ImageOps


def digest(tensor):
    bits = numpy.ascontiguousarray(tensor.numpy()).view(numpy.uint32).ravel().astype(numpy.uint64)
    odd = numpy.arange(1, 2 * len(bits), 2, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    return int(numpy.bitwise_xor.reduce(bits * odd)) ^ int((bits * odd).sum(dtype=numpy.uint64))


size = int(sys.argv[1])
for line in open(sys.argv[2]):
    *numbers, path = line.rstrip("\n").split(" ", 10)
    divisor, left, top, width, height, new_width, new_height, keep_left, keep_top, flip = map(int, numbers)
    picture = Image.open(path)
    if divisor > 1:
        picture.draft(None, (picture.width // divisor, picture.height // divisor))
    picture = picture.convert("RGB")
    box = [left / divisor, top / divisor, (left + width) / divisor, (top + height) / divisor]
    first = math.floor(box[0]), math.floor(box[1])
    part = picture.crop((*first, min(math.ceil(box[2]), picture.width), min(math.ceil(box[3]), picture.height)))
    part = part.resize((new_width, new_height), Image.BILINEAR,
                       box=(box[0] - first[0], box[1] - first[1], box[2] - first[0], box[3] - first[1]))
    part = part.crop((keep_left, keep_top, keep_left + size, keep_top + size))
    if flip:
        part = ImageOps.mirror(part)
    planes = torch.from_numpy(numpy.array(part).transpose(2, 0, 1).copy())
    print(digest(planes.float().div(255)))
