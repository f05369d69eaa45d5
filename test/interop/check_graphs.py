"""Checks ONNX files, weights beside them, with the ONNX project's own checker.

Usage: check_graphs.py FILE...
"""

import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(path)
