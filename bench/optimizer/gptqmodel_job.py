"""Quantizes a checkpoint with GPTQModel on given calibration tokens.

Usage: gptqmodel_job.py gptq BITS GROUP_SIZE sym|asym MODEL_DIR SAMPLES_JSON OUTPUT_DIR

Layers whose width the group size does not divide get the largest of 64 and 32 that divides it.
"""

import json
import sys

import torch
from gptqmodel import GPTQModel, QuantizeConfig
from safetensors import safe_open


def overrides(folder, group_size):
    """Group sizes of the layers that the one asked for does not fit."""
    found = {}
    if group_size == -1:
        return found
    with safe_open(f"{folder}/model.safetensors", "pt") as file:
        for name in file.keys():
            shape = file.get_slice(name).get_shape()
            if ".layers." not in name or len(shape) != 2 or shape[1] % group_size == 0:
                continue
            size = next((size for size in (64, 32) if shape[1] % size == 0), -1)
            kind = name.removesuffix(".weight").rsplit(".", 1)[-1]
            found[f"+:.*{kind}$"] = {"group_size": size}
    return found


def main():
    _, bits, group_size, symmetry, folder, samples, output = sys.argv[1:8]
    with open(samples, encoding="utf-8") as file:
        ids = json.load(file)
    config = QuantizeConfig(
        bits=int(bits),
        group_size=int(group_size),
        sym=symmetry == "sym",
        dynamic=overrides(folder, int(group_size)) or None,
    )
    model = GPTQModel.load(folder, config, device="cpu", dtype=torch.float32)
    samples = [{"input_ids": sample, "attention_mask": [1] * len(sample)} for sample in ids]
    model.quantize(samples, batch_size=4)
    model.save(output)


main()
