"""Prints torchvision's classes and samples of a folder. Usage: image_folder.py ROOT"""
import sys

from torchvision.datasets import ImageFolder

dataset = ImageFolder(sys.argv[1])
for name in dataset.classes:
    print(name)
for path, label in dataset.samples:
    print(label, path)
