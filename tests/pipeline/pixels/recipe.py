"""What torchvision makes of pictures, as one number each that every bit takes part in.

recipe.py pictures FOLDER            writes noise of many sizes as FOLDER/*.png
recipe.py eval RESIZE CROP LIST      a line of LIST: path
recipe.py eval-bicubic, train-bicubic: the same, resampled so
recipe.py train SIZE LIST            a line of LIST: left top width height flip, operations, what is erased, path

Operations are their number, and of each its name (image_op.py) and value; what is erased is left top width height.
"""
import sys

import numpy
import torch
from image_op import apply
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

SIZES = [(1, 1), (1, 2), (1, 90), (90, 1), (3, 200), (200, 3), (100, 100), (224, 224), (223, 300), (300, 223),
         (224, 256), (256, 256), (256, 300), (257, 256), (600, 599), (1000, 300), (299, 1001)]
NORMALIZE = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def digest(tensor):
    bits = numpy.ascontiguousarray(tensor.numpy()).view(numpy.uint32).ravel().astype(numpy.uint64)
    odd = numpy.arange(1, 2 * len(bits), 2, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    return int(numpy.bitwise_xor.reduce(bits * odd)) ^ int((bits * odd).sum(dtype=numpy.uint64))


def picture(path):
    return Image.open(path).convert("RGB")


torch.set_num_threads(1)
mode, _, filter_name = sys.argv[1].partition("-")
FILTER = transforms.InterpolationMode(filter_name or "bilinear")
if mode == "pictures":
    random = numpy.random.RandomState(1)
    for width, height in SIZES:
        pixels = random.randint(0, 256, (height, width, 3), dtype=numpy.uint8)
        Image.fromarray(pixels).save(f"{sys.argv[2]}/{width}x{height}.png")
elif mode == "eval":
    recipe = transforms.Compose([transforms.Resize(int(sys.argv[2]), FILTER), transforms.CenterCrop(int(sys.argv[3])),
                                 transforms.ToTensor(), NORMALIZE])
    for line in open(sys.argv[4]):
        print(digest(recipe(picture(line.rstrip("\n")))))
elif mode == "train":
    size = int(sys.argv[2])
    for line in open(sys.argv[3]):
        left, top, width, height, flip, count, rest = line.rstrip("\n").split(" ", 6)
        *ops, rest = rest.split(" ", 2 * int(count))
        erase_left, erase_top, erase_width, erase_height, path = rest.split(" ", 4)
        crop = functional.resized_crop(picture(path), int(top), int(left), int(height), int(width), [size, size], FILTER)
        if int(flip):
            crop = functional.hflip(crop)
        for name, value in zip(ops[::2], ops[1::2]):
            crop = apply(crop, name, float(value))
        erased = map(int, (erase_top, erase_left, erase_height, erase_width))
        print(digest(functional.erase(NORMALIZE(functional.to_tensor(crop)), *erased, torch.zeros(1, 1, 1))))
