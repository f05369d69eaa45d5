"""Compares a quantized checkpoint with its source, reading both with nothing but numpy and json.

Usage: check_checkpoint.py SOURCE_DIR OUTPUT_DIR
Every quantized weight is decoded and compared with its source; every other tensor and file must be
the same to the last bit; the configuration, the index and the report must agree with what is there.
Prints one JSON object; exits with 1 and says why at the first thing that is wrong.
"""

import hashlib
import json
import math
import os
import re
import struct
import sys

import numpy as np

NUMPY_TYPES = {
    "BOOL": "u1", "U8": "u1", "I8": "i1", "F8_E4M3": "u1", "F8_E5M2": "u1",
    "I16": "<i2", "U16": "<u2", "F16": "<f2", "BF16": "<u2",
    "I32": "<i4", "U32": "<u4", "F32": "<f4", "F64": "<f8", "I64": "<i8", "U64": "<u8",
}  # fmt: skip
REWRITTEN = {"config.json", "serving.properties", "optimization-report.json"}


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


class Tensors:
    """The tensors of a folder's safetensors files, each read when it is asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.entries = {}
        index = os.path.join(folder, "model.safetensors.index.json")
        if os.path.exists(index):
            with open(index, encoding="utf-8") as file:
                self.index = json.load(file)
            self.files = sorted(set(self.index["weight_map"].values()))
        else:
            self.index = None
            self.files = ["model.safetensors"]
        for name in self.files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            end = 0
            for tensor, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
                first, last = entry["data_offsets"]
                if first != end:
                    fail(f"{path}: {tensor} does not follow the tensor before it")
                end = last
                start = 8 + length + first
                itemsize = np.dtype(NUMPY_TYPES[entry["dtype"]]).itemsize
                if start % itemsize != 0:
                    fail(f"{path}: {tensor} is not aligned to its elements")
                self.entries[tensor] = (path, entry["dtype"], entry["shape"], start, last - first)
            if 8 + length + end != os.path.getsize(path):
                fail(f"{path}: its header does not cover the file")
        if self.index is not None:
            placed = {name: os.path.basename(entry[0]) for name, entry in self.entries.items()}
            if placed != self.index["weight_map"]:
                fail(f"{folder}: the index and the files disagree")

    def raw(self, name):
        path, _, _, start, length = self.entries[name]
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(length)

    def array(self, name):
        _, dtype, shape, _, _ = self.entries[name]
        return np.frombuffer(self.raw(name), NUMPY_TYPES[dtype]).reshape(shape)

    def floats(self, name):
        """A floating-point tensor as f64."""
        dtype = self.entries[name][1]
        array = self.array(name)
        if dtype == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float64)


def float8_table():
    """What each byte stands for in the E4M3 form without infinities."""
    values = []
    for code in range(256):
        sign = -1.0 if code & 0x80 else 1.0
        exponent, mantissa = (code >> 3) & 15, code & 7
        if exponent == 15 and mantissa == 7:
            values.append(math.nan)
        elif exponent == 0:
            values.append(sign * mantissa * 2.0**-9)
        else:
            values.append(sign * (1 + mantissa / 8) * 2.0 ** (exponent - 7))
    return np.array(values)


FLOAT8 = float8_table()


def unpack(words, bits, count):
    """The first `count` signed codes of each row's stream of bits, lowest first, in 32-bit words."""
    stream = (words.astype(np.uint32)[:, :, None] >> np.arange(32, dtype=np.uint32)) & 1
    stream = stream.reshape(len(words), -1)[:, : count * bits].reshape(len(words), count, bits)
    return (stream.astype(np.int64) << np.arange(bits)).sum(-1) - (1 << (bits - 1))


def decode(tensors, module, weights):
    """A quantized layer's weight as f64, by its own tensors and its group's arguments."""
    scales = tensors.floats(f"{module}.weight_scale")
    if f"{module}.weight_packed" in tensors.entries:
        rows, columns = (int(size) for size in tensors.array(f"{module}.weight_shape"))
        bits = weights["num_bits"]
        codes = unpack(tensors.array(f"{module}.weight_packed"), bits, columns).astype(np.float64)
    elif weights["type"] == "float":
        codes = FLOAT8[tensors.array(f"{module}.weight")]
        rows, columns = codes.shape
    else:
        codes = tensors.array(f"{module}.weight").astype(np.float64)
        rows, columns = codes.shape
    groups = 1 if weights["strategy"] == "channel" else columns // weights["group_size"]
    if scales.shape != (rows, groups):
        fail(f"{module}: scales are {scales.shape}, its group says {(rows, groups)}")
    grouped = codes.reshape(rows, groups, columns // groups)
    if not weights["symmetric"]:
        packed = tensors.array(f"{module}.weight_zero_point")
        zero_points = unpack(packed.T.copy(), weights["num_bits"], rows).T
        grouped = grouped - zero_points[:, :, None]
    return (grouped * scales[:, :, None]).reshape(rows, columns)


def matches(name, target):
    if target.startswith("re:"):
        return re.match(target[3:], name) is not None
    return target == name


def group_of(module, config):
    """The one config group that applies to a module, as loaders find it; None if it is ignored."""
    if any(matches(module, entry) for entry in config["ignore"]):
        return None
    groups = [
        group
        for group in config["config_groups"].values()
        if any(target == "Linear" or matches(module, target) for target in group["targets"])
    ]
    if len(groups) != 1:
        fail(f"{module}: {len(groups)} config groups apply to it")
    return groups[0]


def scheme_name(weights):
    size = weights["group_size"] if weights["strategy"] == "group" else "channel"
    zero_point = "" if weights["symmetric"] else " zero-point"
    return f"{weights['type']}{weights['num_bits']} {size}{zero_point}"


def check_tensors(source, output, config):
    """Decodes what was quantized, compares the rest; returns the errors by module."""
    errors = {}
    untouched = 0
    expected = set()
    for name in source.entries:
        module, _, kind = name.rpartition(".")
        if kind == "weight" and f"{module}.weight_scale" in output.entries:
            group = group_of(module, config)
            if group is None:
                fail(f"{module}: it is quantized, but the configuration ignores it")
            expected.add(f"{module}.weight_scale")
            if f"{module}.weight_packed" in output.entries:
                expected.update((f"{module}.weight_packed", f"{module}.weight_shape"))
            else:
                expected.add(name)
            if not group["weights"]["symmetric"]:
                expected.add(f"{module}.weight_zero_point")
            weight = source.floats(name)
            difference = weight - decode(output, module, group["weights"])
            if not np.isfinite(difference).all():
                fail(f"{module}: it decodes to values that are not finite")
            squares = float((weight**2).sum())
            relative = math.sqrt(float((difference**2).sum()) / squares) if squares else 0.0
            errors[module] = (scheme_name(group["weights"]), relative, float(np.abs(difference).max()))
            continue
        expected.add(name)
        if name not in output.entries:
            fail(f"{name}: it is missing from the result")
        if output.entries[name][1:3] != source.entries[name][1:3]:
            fail(f"{name}: its type or shape changed")
        if output.raw(name) != source.raw(name):
            fail(f"{name}: it was not to be touched, but its bytes changed")
        untouched += 1
    if set(output.entries) != expected:
        fail(f"tensors that should not be there: {sorted(set(output.entries) - expected)}")
    return errors, untouched


def check_files(source, output):
    """Every other file of the source is in the result, unchanged."""
    weights = set(source.files) | {"model.safetensors.index.json"}
    carried = 0
    for folder, _, names in os.walk(source.folder):
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, source.folder)
            if relative in REWRITTEN | weights:
                continue
            with open(path, "rb") as a, open(os.path.join(output.folder, relative), "rb") as b:
                if a.read() != b.read():
                    fail(f"{relative}: it was to be carried along, but it changed")
            carried += 1
    return carried


def check_config(source, output):
    """The configuration is the source's and the quantization's."""
    with open(os.path.join(source.folder, "config.json"), encoding="utf-8") as file:
        before = json.load(file)
    with open(os.path.join(output.folder, "config.json"), encoding="utf-8") as file:
        after = json.load(file)
    config = after.pop("quantization_config")
    if list(after.items()) != list(before.items()):
        fail("config.json: something else than the quantization changed")
    return config


def check_report(output, errors):
    """The report's checksums are those of the files, its errors those measured here."""
    with open(os.path.join(output.folder, "optimization-report.json"), encoding="utf-8") as file:
        report = json.load(file)
    listed = {}
    for entry in report["files"]:
        checksum = hashlib.sha256()
        with open(os.path.join(output.folder, entry["name"]), "rb") as file:
            while chunk := file.read(1 << 20):
                checksum.update(chunk)
        if checksum.hexdigest() != entry["sha256"]:
            fail(f"{entry['name']}: the report has another checksum")
        listed[entry["name"]] = entry["bytes"]
    present = {
        os.path.relpath(os.path.join(folder, name), output.folder)
        for folder, _, names in os.walk(output.folder)
        for name in names
    }
    if present != set(listed) | {"optimization-report.json"}:
        fail("the report does not list the files that are there")
    reported = {layer["module"]: layer["error"] for layer in report["steps"][-1]["layers"]}
    if set(reported) != set(errors):
        fail("the report does not list the layers that are quantized")
    for module, (_, relative, worst) in errors.items():
        told = reported[module]
        if not math.isclose(told["relativeRms"], relative, rel_tol=1e-4, abs_tol=1e-9):
            fail(f"{module}: the report says {told['relativeRms']}, measured {relative}")
        if not math.isclose(told["worst"]["absolute"], worst, rel_tol=1e-4, abs_tol=1e-9):
            fail(f"{module}: the report's worst is {told['worst']['absolute']}, measured {worst}")


def main():
    source, output = Tensors(sys.argv[1]), Tensors(sys.argv[2])
    config = check_config(source, output)
    errors, untouched = check_tensors(source, output, config)
    carried = check_files(source, output)
    check_report(output, errors)
    if output.index is not None:
        total = sum(entry[4] for entry in output.entries.values())
        if output.index["metadata"]["total_size"] != total:
            fail("model.safetensors.index.json: total_size is wrong")
    schemes = {}
    for scheme, relative, worst in errors.values():
        found = schemes.setdefault(scheme, {"layers": 0, "maxRelativeRms": 0.0, "maxWorst": 0.0})
        found["layers"] += 1
        found["maxRelativeRms"] = max(found["maxRelativeRms"], relative)
        found["maxWorst"] = max(found["maxWorst"], worst)
    print(
        json.dumps(
            {
                "quantized": len(errors),
                "untouched": untouched,
                "carriedFiles": carried,
                "format": config["format"],
                "schemes": schemes,
            }
        )
    )


if __name__ == "__main__":
    main()
