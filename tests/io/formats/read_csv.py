"""Prints a CSV file's fields as hexadecimal bytes, a dot after each, one row a line. Usage: read_csv.py FILE"""
import csv
import sys

with open(sys.argv[1], newline="", encoding="utf-8") as file:
    for row in csv.reader(file):
        print("".join(field.encode().hex() + "." for field in row))
