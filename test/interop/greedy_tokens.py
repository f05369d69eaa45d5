"""Continues a sequence with Transformers in f32, always with the likeliest token.

Usage: greedy_tokens.py MODEL_DIR COUNT ID...
Prints a JSON list of COUNT tokens.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def main():
    folder, count, ids = sys.argv[1], int(sys.argv[2]), [int(id) for id in sys.argv[3:]]
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True
    ).eval()
    tokens, cache, step = [], None, torch.tensor([ids])
    with torch.no_grad():
        for _ in range(count):
            output = model(step, past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            step = output.logits[:, -1:].argmax(-1)
            tokens.append(step.item())
    print(json.dumps(tokens))


main()
