"""Writes a small checkpoint with random weights for every architecture whose forward pass is known, and
what Transformers makes of one sequence: the hidden state after every block, and the logits.

Usage: tiny_checkpoints.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

VOCABULARY = 96
POSITIONS = 48

COMMON = dict(
    vocab_size=VOCABULARY,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
)

LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=500000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=32,
)
YARN = dict(
    rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32
)
EXPERTS = dict(num_experts_per_tok=2, moe_intermediate_size=32)

CASES = {
    "llama": ("Llama", dict(tie_word_embeddings=False)),
    "llama-tied-biased": (
        "Llama",
        dict(tie_word_embeddings=True, attention_bias=True, mlp_bias=True, head_dim=24),
    ),
    "llama-llama3-rope": ("Llama", dict(rope_parameters=LLAMA3)),
    "llama-linear-rope": (
        "Llama",
        dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
    ),
    "llama-dynamic-rope": (
        "Llama",
        dict(
            rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0),
            max_position_embeddings=32,
        ),
    ),
    "mistral": ("Mistral", dict(sliding_window=8, head_dim=16)),
    "qwen2": ("Qwen2", dict(rope_parameters=YARN)),
    "qwen2-window": (
        "Qwen2",
        dict(use_sliding_window=True, sliding_window=8, max_window_layers=1),
    ),
    "qwen3": ("Qwen3", dict(head_dim=24)),
    "phi3": ("Phi3", dict(sliding_window=16, original_max_position_embeddings=128)),
    "phi3-longrope": (
        "Phi3",
        dict(
            max_position_embeddings=128,
            original_max_position_embeddings=32,
            rope_parameters=dict(
                rope_type="longrope",
                rope_theta=10000.0,
                short_factor=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5],
                long_factor=[1.0, 1.5, 2.0, 2.5, 3.0, 3.5],
                partial_rotary_factor=0.75,
                original_max_position_embeddings=32,
            ),
        ),
    ),
    "gemma2": ("Gemma2", dict(head_dim=24, query_pre_attn_scalar=20, sliding_window=8)),
    "gemma3": (
        "Gemma3Text",
        dict(
            head_dim=24,
            query_pre_attn_scalar=20,
            sliding_window=8,
            num_hidden_layers=4,
            layer_types=["sliding_attention"] * 2 + ["full_attention", "sliding_attention"],
            rope_parameters=dict(
                full_attention=dict(rope_type="linear", rope_theta=1000000.0, factor=8.0),
                sliding_attention=dict(rope_type="default", rope_theta=10000.0),
            ),
        ),
    ),
    "mixtral": ("Mixtral", dict(num_local_experts=4, num_experts_per_tok=2)),
    "qwen2_moe": (
        "Qwen2Moe",
        dict(
            num_experts=6,
            shared_expert_intermediate_size=48,
            decoder_sparse_step=2,
            norm_topk_prob=False,
            **EXPERTS,
        ),
    ),
    "qwen3_moe": (
        "Qwen3Moe",
        dict(num_experts=6, norm_topk_prob=True, mlp_only_layers=[1], head_dim=24, **EXPERTS),
    ),
}


def randomize(model):
    """Weights of a size that makes every part of a block matter; the initial ones hide mistakes."""
    generator = torch.Generator().manual_seed(7)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            parameter.data.add_(0.2 * noise)
        elif "embed" in name:
            parameter.data.copy_(noise)
        else:
            parameter.data.copy_(noise / parameter.shape[-1] ** 0.5)


def write(folder, kind, options):
    config = getattr(transformers, f"{kind}Config")(**{**COMMON, **options})
    name = "Gemma3ForCausalLM" if kind == "Gemma3Text" else f"{kind}ForCausalLM"
    torch.manual_seed(1)
    model = getattr(transformers, name)._from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        randomize(model)
    model.save_pretrained(folder)
    ids = torch.randint(
        3, VOCABULARY, (1, POSITIONS), generator=torch.Generator().manual_seed(3)
    )
    hidden = []
    hooks = [
        layer.register_forward_hook(
            lambda _module, _inputs, output: hidden.append(
                output[0] if isinstance(output, tuple) else output
            )
        )
        for layer in model.model.layers
    ]
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits
    for hook in hooks:
        hook.remove()
    expected = {f"block.{index}": state[0].float() for index, state in enumerate(hidden)}
    expected["logits"] = logits[0].float()
    reference = Path(folder).parent / f"{Path(folder).name}.expected"
    reference.mkdir()
    save_file({k: v.contiguous() for k, v in expected.items()}, reference / "expected.safetensors")
    (reference / "ids.json").write_text(json.dumps(ids[0].tolist()))


def main():
    root = Path(sys.argv[1])
    for name, (kind, options) in CASES.items():
        write(root / name, kind, options)
    print(json.dumps(list(CASES)))


main()
