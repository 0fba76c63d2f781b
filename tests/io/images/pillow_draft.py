"""pillow_draft.py LIST: compares PNGs with what Pillow's draft makes of JPEGs, and prints those that differ.

A line of LIST: 2, 4 or 8, the divisor of the size; PNG; JPEG.
"""
import sys

from PIL import Image

for line in open(sys.argv[1]):
    divisor, ours, path = line.rstrip("\n").split(" ", 2)
    picture = Image.open(path)
    width, height = picture.size
    picture.draft(None, (width // int(divisor), height // int(divisor)))
    if picture.size != (-(-width // int(divisor)), -(-height // int(divisor))):
        print(path, "Pillow makes it", picture.size)
    if picture.convert("RGB").tobytes() != Image.open(ours).tobytes():
        print(path, divisor, "differs")
