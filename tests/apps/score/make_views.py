"""A picture and torchvision's ten crops of it: make_views.py FOLDER SIZE CROP

Writes FOLDER/whole.png of SIZE x SIZE pixels and FOLDER/view0.png to view9.png, each a crop in the middle of a black
picture of the same size.
"""
import sys

import numpy
from PIL import Image
from torchvision.transforms import functional

folder, size, crop = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = numpy.random.RandomState(2)
coarse = random.randint(0, 256, (5, 5, 3), dtype=numpy.uint8)
whole = Image.fromarray(coarse).resize((size, size), Image.BICUBIC)
whole.save(f"{folder}/whole.png")
for number, view in enumerate(functional.ten_crop(whole, [crop, crop])):
    middle = Image.new("RGB", (size, size))
    middle.paste(view, ((size - crop) // 2, (size - crop) // 2))
    middle.save(f"{folder}/view{number}.png")
