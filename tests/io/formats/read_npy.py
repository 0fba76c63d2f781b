"""Prints a .npy as numpy maps it into memory: dtype and shape, then each row's numbers. Usage: read_npy.py FILE"""
import sys

import numpy

array = numpy.load(sys.argv[1], mmap_mode="r", allow_pickle=False)
assert isinstance(array, numpy.memmap)
print(array.dtype.str, *array.shape)
for row in array:
    print(*(repr(float(value)) for value in numpy.atleast_1d(row)))
