"""Prints what Transformers makes of small models whose weights follow a formula, so that a test without
Python can make the same models and compare: `record_vectors.py > recorded-vectors.json`."""

import json
import math
import sys

import torch
import transformers

COMMON = dict(
    vocab_size=24,
    hidden_size=16,
    intermediate_size=24,
    num_attention_heads=2,
    num_key_value_heads=1,
    max_position_embeddings=64,
    rms_norm_eps=1e-6,
)
CASES = {
    "gemma3": (
        "Gemma3TextConfig",
        "Gemma3ForCausalLM",
        dict(
            num_hidden_layers=3,
            head_dim=12,
            query_pre_attn_scalar=10,
            sliding_window=4,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            hidden_activation="gelu_pytorch_tanh",
            final_logit_softcapping=4.0,
            tie_word_embeddings=True,
            rope_parameters=dict(
                full_attention=dict(rope_type="linear", rope_theta=1000000.0, factor=8.0),
                sliding_attention=dict(rope_type="default", rope_theta=10000.0),
            ),
        ),
    ),
    "qwen3_moe": (
        "Qwen3MoeConfig",
        "Qwen3MoeForCausalLM",
        dict(
            num_hidden_layers=2,
            head_dim=8,
            num_experts=4,
            num_experts_per_tok=2,
            moe_intermediate_size=8,
            norm_topk_prob=True,
            mlp_only_layers=[0],
            hidden_act="silu",
            tie_word_embeddings=False,
            rope_parameters=dict(rope_type="default", rope_theta=10000.0),
        ),
    ),
    "phi3": (
        "Phi3Config",
        "Phi3ForCausalLM",
        dict(
            num_hidden_layers=2,
            sliding_window=5,
            original_max_position_embeddings=8,
            hidden_act="silu",
            tie_word_embeddings=False,
            pad_token_id=0,
            rope_parameters=dict(
                rope_type="longrope",
                rope_theta=10000.0,
                short_factor=[1.0, 1.1, 1.2],
                long_factor=[1.0, 1.5, 2.0],
                partial_rotary_factor=0.75,
                original_max_position_embeddings=8,
            ),
        ),
    ),
}
IDS = [3, 17, 5, 5, 21, 8, 0, 11, 14, 2]


def formula(order, count):
    return [math.sin((index + 1) * 12.9898 + order * 78.233) * 0.5 for index in range(count)]


def main():
    cases = []
    for name, (config_class, model_class, options) in CASES.items():
        config = getattr(transformers, config_class)(**{**COMMON, **options})
        model = getattr(transformers, model_class)._from_config(
            config, attn_implementation="eager"
        ).eval()
        import tempfile
        from safetensors.torch import load_file, save_file

        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            path = f"{folder}/model.safetensors"
            tensors = load_file(path)
            shapes = {}
            for order, key in enumerate(sorted(tensors)):
                shape = list(tensors[key].shape)
                shapes[key] = shape
                tensors[key] = torch.tensor(
                    formula(order, tensors[key].numel()), dtype=torch.float32
                ).reshape(shape)
            save_file(tensors, path, metadata={"format": "pt"})
            model = getattr(transformers, model_class).from_pretrained(
                folder, dtype=torch.float32, attn_implementation="eager"
            ).eval()
            written = json.load(open(f"{folder}/config.json"))
        with torch.no_grad():
            logits = model(torch.tensor([IDS]), use_cache=False).logits[0]
        rounded = [float(f"{value:.6g}") for value in logits[-2:].flatten().tolist()]
        cases.append(
            dict(name=name, config=written, shapes=shapes, ids=IDS, lastLogits=rounded)
        )
    json.dump(cases, sys.stdout)


main()
