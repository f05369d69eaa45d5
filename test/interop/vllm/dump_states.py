"""Writes what vLLM holds after loading small checkpoints, rank by rank: the name, type, shape and CRC-32
of every tensor that its load format `sharded_state` would save. The result is committed in
test/optimizer/sharding/vllm-states and compared with ours there; run this again for another version:

    python dump_states.py FOLDER

One process plays every rank in turn: layers ask their group for its size and their own rank, and weights
are loaded, but nothing is computed. The checkpoints' numbers come from a hash of tensor and index, so
that the comparison can make the same ones.
"""

import json
import os
import sys
import tempfile
import zlib
from pathlib import Path

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("VLLM_DIST_IDENT", "dump")

import numpy
import torch
import transformers
import vllm
import vllm.distributed.parallel_state as parallel
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from vllm.config import set_current_vllm_config
from vllm.engine.arg_utils import EngineArgs
from vllm.model_executor.model_loader.default_loader import DefaultModelLoader
from vllm.model_executor.model_loader.sharded_state_loader import ShardedStateLoader
from vllm.model_executor.model_loader.utils import initialize_model
from vllm.utils.torch_utils import set_default_torch_dtype

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "vocab_size": 200,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "tie_word_embeddings": False,
}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 32}

# Name: model type, what differs from SIZES (None leaves a value out), (tensor degree, whole experts).
CASES = {
    "llama": ("llama", {}, [(1, False), (2, False), (8, False)]),
    "llama-bias": ("llama", {"attention_bias": True, "mlp_bias": True}, [(4, False)]),
    "mistral": ("mistral", {}, [(2, False)]),
    "qwen2": ("qwen2", {"head_dim": None}, [(2, False), (4, False)]),
    "qwen3-tied": ("qwen3", {"tie_word_embeddings": True}, [(2, False)]),
    "gemma2": ("gemma2", {"tie_word_embeddings": True}, [(2, False), (8, False)]),
    "gemma3": ("gemma3_text", {"tie_word_embeddings": True}, [(2, False)]),
    "phi3": ("phi3", {"head_dim": None}, [(2, False), (4, False)]),
    "mixtral": (
        "mixtral",
        {"num_local_experts": 6, "num_experts_per_tok": 2},
        [(2, False), (4, True)],
    ),
    "qwen2-moe": (
        "qwen2_moe",
        {
            **EXPERTS,
            "head_dim": None,
            "shared_expert_intermediate_size": 64,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [1],
        },
        [(2, False), (4, True)],
    ),
    "qwen3-moe": ("qwen3_moe", EXPERTS, [(2, False), (4, True)]),
}


def numbers(name: str, shape: list[int]) -> torch.Tensor:
    """Finite bfloat16 numbers whose bits are a hash of the tensor's name and the element's index."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    count = int(numpy.prod(shape, dtype=numpy.int64))
    mixed = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B1)
    mixed ^= numpy.uint32(seed)
    mixed ^= mixed >> numpy.uint32(15)
    mixed *= numpy.uint32(0x85EBCA6B)
    bits = ((mixed >> numpy.uint32(13)) & numpy.uint32(0xBFFF)).astype(numpy.uint16)
    return torch.from_numpy(bits.view(numpy.int16).copy()).view(torch.bfloat16).reshape(shape)


def make_checkpoint(folder: Path, model_type: str, change: dict) -> dict[str, list[int]]:
    """Lets Transformers name the tensors, and fills them. Returns their shapes."""
    values = {key: value for key, value in {**SIZES, **change}.items() if value is not None}
    config = AutoConfig.for_model(model_type, **values)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder)
    weights = folder / "model.safetensors"
    with safe_open(weights, "pt") as file:
        shapes = {name: list(file.get_slice(name).get_shape()) for name in sorted(file.keys())}
    tensors = {name: numbers(name, shape) for name, shape in shapes.items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    return shapes


def engine_config(folder: Path, degree: int, experts: bool):
    return EngineArgs(
        model=str(folder),
        tensor_parallel_size=degree,
        enable_expert_parallel=experts,
        enforce_eager=True,
        skip_tokenizer_init=True,
        dtype="bfloat16",
        max_model_len=64,
        distributed_executor_backend="mp",
    ).create_engine_config()


def start_groups(folder: Path) -> None:
    config = engine_config(folder, 1, False)
    with set_current_vllm_config(config), tempfile.NamedTemporaryFile() as meeting:
        parallel.init_distributed_environment(1, 0, f"file://{meeting.name}", 0, backend="gloo")
        parallel.initialize_model_parallel(1, 1)
        parallel._EP = parallel._EP or parallel._TP


def state_of(folder: Path, degree: int, experts: bool, rank: int) -> dict[str, torch.Tensor]:
    config = engine_config(folder, degree, experts)
    for group in (parallel._TP, parallel._EP):
        group.world_size, group.rank_in_group, group.rank = degree, rank, rank
        group.ranks = list(range(degree))
    with set_current_vllm_config(config), set_default_torch_dtype(torch.bfloat16):
        model = initialize_model(config)
        DefaultModelLoader(config.load_config).load_weights(model, config.model_config)
    return ShardedStateLoader._filter_subtensors(model.state_dict())


TYPES = {torch.bfloat16: "BF16", torch.float32: "F32"}


def describe(tensor: torch.Tensor) -> list:
    flat = tensor.contiguous().reshape(-1).view(torch.uint8)
    return [TYPES[tensor.dtype], list(tensor.shape), f"{zlib.crc32(flat.numpy().tobytes()):08x}"]


def lines(mapping: dict, indent: str) -> str:
    entries = [f"{indent}  {json.dumps(key)}: {json.dumps(value)}" for key, value in mapping.items()]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"


def main() -> None:
    target = Path(sys.argv[1])
    started = False
    for name, (model_type, change, degrees) in CASES.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            shapes = make_checkpoint(folder, model_type, change)
            if not started:
                start_groups(folder)
                started = True
            states = []
            for degree, experts in degrees:
                ranks = [
                    lines(
                        {
                            key: describe(tensor)
                            for key, tensor in sorted(state_of(folder, degree, experts, rank).items())
                        },
                        "    ",
                    )
                    for rank in range(degree)
                ]
                states.append(
                    f'  {{ "tensorParallel": {degree}, "expertParallel": {json.dumps(experts)}, "ranks": [\n    '
                    + ",\n    ".join(ranks)
                    + "\n  ] }"
                )
            config = json.loads((folder / "config.json").read_text())
            (target / f"{name}.json").write_text(
                f'{{\n"vllm": {json.dumps(vllm.__version__)},\n'
                f'"transformers": {json.dumps(transformers.__version__)},\n'
                f'"config": {json.dumps(config)},\n"tensors": {lines(shapes, "")},\n'
                '"states": [\n' + ",\n".join(states) + "\n]\n}\n"
            )
            print(f"{name}: {len(shapes)} tensors, degrees {degrees}")


if __name__ == "__main__":
    main()
