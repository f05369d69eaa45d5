"""Perplexity of results as Transformers runs them, for comparison with what the jobs reported.

Usage: result_perplexity.py TEXT WINDOW TOKENS, and the folder of a result in each line of standard input
Every token but the first is predicted from those before it in its predecessor's window. Checkpoints of
compressed-tensors are loaded as they are (decoded on loading where they have zero points, which version
0.20 does not load otherwise). Weights of AutoAWQ's and GPTQ's are decoded here, by the formats'
definitions: the packages that run them compile kernels for minutes first.
Prints a line of JSON for each: perplexity and how the weights were read, or what went wrong.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, CompressedTensorsConfig

# The place of each of eight neighbouring outputs among the 4-bit fields of a word.
AWQ_FIELDS = [0, 4, 1, 5, 2, 6, 3, 7]


def fields(words, bits, order=None):
    """The codes in 32-bit words, as a further last dimension."""
    order = order or range(32 // bits)
    words = words.astype(np.uint32)
    return np.stack([(words >> (bits * field)) & (2**bits - 1) for field in order], -1)


def stream(words, bits, count):
    """The first codes of a stream of bits along the first dimension, which may straddle words."""
    wide = np.concatenate([words, np.zeros_like(words[:1])]).astype(np.uint32).astype(np.uint64)
    first = np.arange(count) * bits
    pairs = wide[first // 32] | (wide[first // 32 + 1] << np.uint64(32))
    shift = (first % 32).astype(np.uint64)[:, None]
    return ((pairs >> shift) & np.uint64(2**bits - 1)).astype(np.float32)


def decode_awq(qweight, qzeros, scales):
    rows = qweight.shape[0]
    codes = fields(qweight, 4, AWQ_FIELDS).reshape(rows, -1).astype(np.float32)
    zeros = fields(qzeros, 4, AWQ_FIELDS).reshape(qzeros.shape[0], -1).astype(np.float32)
    group = np.arange(rows) // (rows // scales.shape[0])
    return ((codes - zeros[group]) * scales.astype(np.float32)[group]).T


def decode_gptq(qweight, qzeros, scales, g_idx, bits):
    codes = stream(qweight, bits, len(g_idx))
    zeros = stream(qzeros.T, bits, qweight.shape[1]).T + 1
    return ((codes - zeros[g_idx]) * scales.astype(np.float32)[g_idx]).T


def decoded_model(folder, quantization):
    tensors = load_file(Path(folder) / "model.safetensors")
    state = {}
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        if f"{module}.qweight" not in tensors:
            state[name] = tensor.float()
            continue
        if kind != "qweight":
            continue
        part = lambda key: tensors[f"{module}.{key}"].numpy()
        weight = (
            decode_awq(part("qweight"), part("qzeros"), part("scales"))
            if quantization["quant_method"] == "awq"
            else decode_gptq(
                part("qweight"), part("qzeros"), part("scales"), part("g_idx"), quantization["bits"]
            )
        )
        state[f"{module}.weight"] = torch.from_numpy(np.ascontiguousarray(weight))
    config = AutoConfig.from_pretrained(folder)
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model


def load(folder):
    quantization = json.loads((Path(folder) / "config.json").read_text())["quantization_config"]
    if quantization["quant_method"] == "compressed-tensors":
        groups = quantization["config_groups"].values()
        plain = all(group["weights"]["symmetric"] for group in groups)
        options = {} if plain else {"quantization_config": CompressedTensorsConfig(dequantize=True)}
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options)
        return model, "compressed-tensors"
    return decoded_model(folder, quantization), "numpy"


@torch.no_grad()
def perplexity(folder, text, window, tokens):
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    ids = torch.tensor(tokenizer.encode(text, add_special_tokens=False).ids[:tokens])
    model, reader = load(folder)
    model.eval()
    total, count = 0.0, 0
    for first in range(0, len(ids) - 1, window):
        inputs = ids[first : first + window][None]
        targets = ids[first + 1 : first + 1 + window]
        logits = model(input_ids=inputs).logits[0, : len(targets)].float()
        total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
        count += len(targets)
    return {"perplexity": math.exp(total / count), "reader": reader}


def main():
    text_file, window, tokens = sys.argv[1], *map(int, sys.argv[2:4])
    with open(text_file, encoding="utf-8", newline="") as file:
        text = file.read()
    for line in sys.stdin:
        try:
            answer = perplexity(line.rstrip("\n"), text, window, tokens)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
