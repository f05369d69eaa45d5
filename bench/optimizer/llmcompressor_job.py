"""Quantizes a checkpoint with llmcompressor on given calibration tokens.

Usage: llmcompressor_job.py awq|gptq BITS GROUP_SIZE sym|asym MODEL_DIR SAMPLES_JSON OUTPUT_DIR

A group size of -1 stands for one scale per channel; layers whose width it does not divide get the
largest of 64 and 32 that divides it, as in our jobs.
"""

import json
import sys

import torch
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.gptq import GPTQModifier
from llmcompressor.modifiers.quantization import QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from transformers import AutoModelForCausalLM


# Without a graphics card there is no memory to pin, and asking for it is an error.
if not torch.cuda.is_available():
    torch.Tensor.pin_memory = lambda tensor, *_: tensor


def config_groups(model, bits, group_size, symmetric):
    """One group of layers for each group size that fits."""
    by_size = {}
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        sizes = [group_size, 64, 32]
        fitting = next((size for size in sizes if module.in_features % size == 0), -1)
        by_size.setdefault(fitting, set()).add(f"re:.*{name.rsplit('.', 1)[-1]}$")
    return {
        f"group_{index}": {
            "targets": sorted(targets),
            "weights": {
                "num_bits": bits,
                "type": "int",
                "symmetric": symmetric,
                "strategy": "channel" if size == -1 else "group",
                "group_size": None if size == -1 else size,
            },
        }
        for index, (size, targets) in enumerate(by_size.items())
    }


def main():
    technique, bits, group_size, symmetry, folder, samples, output = sys.argv[1:8]
    with open(samples, encoding="utf-8") as file:
        ids = json.load(file)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    groups = config_groups(model, int(bits), int(group_size), symmetry == "sym")
    quantized = dict(config_groups=groups, ignore=["lm_head"])
    recipe = {
        "gptq": lambda: [GPTQModifier(**quantized)],
        "awq": lambda: [AWQModifier(), QuantizationModifier(**quantized)],
    }[technique]()
    oneshot(
        model=model,
        dataset=Dataset.from_dict(
            {"input_ids": ids, "attention_mask": [[1] * len(sample) for sample in ids]}
        ),
        recipe=recipe,
        num_calibration_samples=len(ids),
        max_seq_length=max(map(len, ids)),
        shuffle_calibration_samples=False,
    )
    model.save_pretrained(output, save_compressed=True)


main()
