"""Reads f32 values, writes what numpy makes of them in f16. Usage: f16_of_f32.py FROM TO"""
import sys

import numpy

with numpy.errstate(over="ignore"):
    numpy.fromfile(sys.argv[1], dtype="<f4").astype("<f2").tofile(sys.argv[2])
