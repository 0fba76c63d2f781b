"""image_op.py FOLDER: what torchvision's functions make of pictures, as one number each that every byte takes part in.

A line of FOLDER/cases.txt: width, height, where its RGB bytes begin in FOLDER/source.raw, the operation, its value.
"""
import sys

import numpy
from PIL import Image
from torchvision.transforms import InterpolationMode, autoaugment, functional


def apply(picture, name, value):
    if name in ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"):
        return autoaugment._apply_op(picture, name, value, InterpolationMode.NEAREST, None)
    return {
        "Identity": lambda: picture,
        "Brightness": lambda: functional.adjust_brightness(picture, value),
        "Contrast": lambda: functional.adjust_contrast(picture, value),
        "Saturation": lambda: functional.adjust_saturation(picture, value),
        "Sharpness": lambda: functional.adjust_sharpness(picture, value),
        "Hue": lambda: functional.adjust_hue(picture, value),
        "Posterize": lambda: functional.posterize(picture, int(value)),
        "Solarize": lambda: functional.solarize(picture, value),
        "AutoContrast": lambda: functional.autocontrast(picture),
        "Equalize": lambda: functional.equalize(picture),
        "Invert": lambda: functional.invert(picture),
    }[name]()


def digest(values):
    values = values.ravel().astype(numpy.uint64)
    odd = numpy.arange(1, 2 * len(values), 2, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
    return int(numpy.bitwise_xor.reduce(values * odd)) ^ int((values * odd).sum(dtype=numpy.uint64))


if __name__ == "__main__":
    source = open(sys.argv[1] + "/source.raw", "rb").read()
    for line in open(sys.argv[1] + "/cases.txt"):
        width, height, begin, name, value = line.split()
        width, height, begin = int(width), int(height), int(begin)
        picture = Image.frombytes("RGB", (width, height), source[begin:begin + width * height * 3])
        print(digest(numpy.asarray(apply(picture, name, float(value)))))
