"""Prints A and B of scikit-learn's sigmoid calibration, a line for each FILE of "value label" lines with labels 0 and 1.

Prints "absent: ..." where scikit-learn is not installed.
"""
import sys

try:
    import numpy as np
    from sklearn import calibration
except ImportError as error:
    print("absent:", error)
    sys.exit()

for path in sys.argv[1:]:
    table = np.loadtxt(path)
    a, b = calibration._sigmoid_calibration(table[:, 0], table[:, 1])
    print(f"{a:.17g} {b:.17g}")
