"""resize.py FOLDER FILTER: FOLDER/source.raw by Pillow's resize, BILINEAR or BICUBIC, into FOLDER/resized.raw.

A line of FOLDER/cases.txt: width, height, new width, new height of the next RGB picture.
"""
import sys

from PIL import Image

folder, resample = sys.argv[1], getattr(Image, sys.argv[2])
with open(folder + "/source.raw", "rb") as source, open(folder + "/resized.raw", "wb") as resized:
    for line in open(folder + "/cases.txt"):
        width, height, new_width, new_height = map(int, line.split())
        picture = Image.frombytes("RGB", (width, height), source.read(width * height * 3))
        resized.write(picture.resize((new_width, new_height), resample).tobytes())
