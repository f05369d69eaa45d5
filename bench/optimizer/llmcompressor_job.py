"""Quantizes a checkpoint with llmcompressor on given calibration tokens.

Usage: llmcompressor_job.py awq|gptq SCHEME MODEL_DIR SAMPLES_JSON OUTPUT_DIR
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


def main():
    technique, scheme, folder, samples, output = sys.argv[1:6]
    with open(samples, encoding="utf-8") as file:
        ids = json.load(file)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    quantized = dict(targets=["Linear"], scheme=scheme, ignore=["lm_head"])
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
