"""Prints A and B of scikit-learn's sigmoid calibration for values and labels (0, 1) read from a file of "value label" lines.

Prints "absent: ..." where scikit-learn is not installed.
"""
import sys

try:
    import numpy as np
    from sklearn import calibration
except ImportError as error:
    print("absent:", error)
    sys.exit()

table = np.loadtxt(sys.argv[1])
a, b = calibration._sigmoid_calibration(table[:, 0], table[:, 1])
print(f"{a:.17g} {b:.17g}")
