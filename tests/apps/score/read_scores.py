"""Prints a file of scores as Python reads it, a line a row: the name's bytes as hexadecimal digits, the error or "-",
then the numbers. Usage: read_scores.py FILE.csv|FILE.jsonl|FILE.npz, or FILE.npy, which has no names

All must have been written with --all-scores: the numbers are those of the classes, in order, as f32."""
import base64
import csv
import json
import os
import sys

import numpy


def show(name, error, scores):
    numbers = " ".join(repr(float(numpy.float32(s))) for s in scores)
    print(name.hex(), error or "-", numbers, sep="\t")


path = sys.argv[1]
if path.endswith(".csv"):
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.reader(file))
    first = max(i for i, column in enumerate(rows[0]) if column.startswith("probability")) + 1
    for row in rows[1:]:
        assert len(row) == len(rows[0])
        show(os.fsencode(row[0]), row[-1], [s for s in row[first:-1] if s])
elif path.endswith(".jsonl"):
    with open(path, "rb") as file:
        for line in file:
            row = json.loads(line.decode("utf-8"))
            name = base64.b64decode(row["path_base64"]) if "path_base64" in row else row["path"].encode()
            assert ("error" in row) != ("classes" in row)
            show(name, row.get("error"), row.get("scores", {}).values())
elif path.endswith(".npz"):
    with numpy.load(path, allow_pickle=False) as arrays:
        scores, names, classes = arrays["scores"], arrays["names"], arrays["classes"]
        errors = dict(zip(arrays["error_rows"].tolist(), arrays["errors"].tolist()))
        assert scores.dtype == numpy.float32 and scores.shape == (len(names), len(classes))
        for i, (name, row) in enumerate(zip(names, scores)):
            assert (i in errors) == bool(numpy.isnan(row).all())
            show(os.fsencode(str(name)), errors.get(i), [] if i in errors else row)
else:
    for row in numpy.load(path, mmap_mode="r", allow_pickle=False):
        show(b"", None, [] if numpy.isnan(row).all() else row)
