"""What torchvision's ImageFolder sees in a split. Prints a line a picture: its class and the file that it really is.

split.py ROOT
"""
import os
import sys

from torchvision.datasets import ImageFolder

dataset = ImageFolder(sys.argv[1])
for path, label in dataset.samples:
    assert dataset.loader(path).mode == "RGB"
    print(dataset.classes[label], os.path.realpath(path))
