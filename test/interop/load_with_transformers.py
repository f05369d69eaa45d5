"""Loads a checkpoint and its quantized form with Transformers and compressed-tensors, as they are, and
compares their perplexity on a held-out text.

Usage: load_with_transformers.py SOURCE_DIR OUTPUT_DIR HELDOUT_TEXT [--dequantize]
--dequantize decodes the weights while they are loaded. compressed-tensors 0.20 expects packed zero
points in their unpacked shape when it loads a model still packed, so checkpoints with zero points
(its own ones too) can be loaded by that version in this way only.
Prints one JSON object: perplexitySource, perplexityOutput, windows, and the names of parameters that
the loader missed or did not expect (both lists must be empty).
"""

import json
import math
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, CompressedTensorsConfig

WINDOW = 256
BATCH = 16


def load(folder, **options):
    """A model in f32 arithmetic, and what its loader had to say about the names of its tensors."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True, local_files_only=True, **options
    )
    return model.eval(), {
        "missing": sorted(map(str, info["missing_keys"])),
        "unexpected": sorted(map(str, info["unexpected_keys"])),
        "mismatched": sorted(map(str, info["mismatched_keys"])),
    }


def windows_of(folder, text_file):
    """Consecutive windows of token ids, without special tokens; what does not fill one is left out."""
    with open(text_file, encoding="utf-8") as file:
        text = file.read()
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    whole = len(ids) // WINDOW * WINDOW
    return torch.tensor(ids[:whole]).reshape(-1, WINDOW)


@torch.no_grad()
def perplexity(model, windows):
    """exp of the mean negative log-likelihood of every token but each window's first."""
    total = 0.0
    count = 0
    for start in range(0, len(windows), BATCH):
        batch = windows[start : start + BATCH]
        logits = model(input_ids=batch).logits[:, :-1].float()
        targets = batch[:, 1:]
        total += torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="sum"
        ).item()
        count += targets.numel()
    return math.exp(total / count)


def main():
    source, output, text_file = sys.argv[1:4]
    windows = windows_of(source, text_file)
    source_model, _ = load(source)
    options = {}
    if "--dequantize" in sys.argv[4:]:
        options["quantization_config"] = CompressedTensorsConfig(dequantize=True)
    output_model, names = load(output, **options)
    print(
        json.dumps(
            {
                "perplexitySource": perplexity(source_model, windows),
                "perplexityOutput": perplexity(output_model, windows),
                "windows": len(windows),
                **names,
            }
        )
    )


if __name__ == "__main__":
    main()
