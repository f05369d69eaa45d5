"""Writes known-answers.json: small weights encoded by the compressed-tensors package.

    python test/kernels/known-answers.py > test/kernels/known-answers.json

Weights are seen in float32 and scales are rounded to their stored type before anything is divided
by them, which is what the kernels do.
"""

import base64
import json
import sys

import compressed_tensors
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize, quantize
from compressed_tensors.quantization.utils.helpers import calculate_qparams

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
CARRIERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32}

FP8 = {"type": "float", "bits": 8, "strategy": "channel"}


def integer(bits, group_size, symmetric, packed=True):
    return {
        "type": "int",
        "bits": bits,
        "strategy": "group" if group_size else "channel",
        "groupSize": group_size,
        "symmetric": symmetric,
        "packed": packed,
    }


# scheme, source type, scale type, rows, columns
CASES = [
    (FP8, "BF16", "BF16", 5, 48),
    (FP8, "F32", "F32", 3, 37),
    (FP8, "F16", "F16", 3, 31),
    (integer(8, None, True, packed=False), "BF16", "BF16", 5, 48),
    (integer(8, None, True, packed=False), "F32", "F32", 3, 37),
    (integer(8, None, True), "F16", "F16", 4, 33),
    (integer(8, 32, False), "BF16", "BF16", 6, 64),
    (integer(4, 32, True), "BF16", "BF16", 6, 96),
    (integer(4, 128, True), "F16", "F16", 2, 256),
    (integer(4, None, True), "F32", "BF16", 5, 43),
    (integer(4, 32, False), "BF16", "BF16", 11, 64),
    (integer(4, None, False), "F16", "F16", 9, 21),
    (integer(3, 32, True), "BF16", "BF16", 6, 96),
    (integer(3, 32, False), "F16", "F16", 37, 64),
    (integer(3, None, False), "F32", "BF16", 9, 21),
    (integer(2, 32, True), "F16", "F16", 6, 96),
    (integer(2, 64, False), "BF16", "BF16", 19, 128),
]


def text(tensor):
    """The tensor's bytes in base64."""
    carrier = CARRIERS[tensor.element_size()]
    return base64.b64encode(tensor.contiguous().view(carrier).numpy().tobytes()).decode()


def answer(scheme, source_type, scale_type, rows, columns):
    weight = torch.randn(rows, columns) * 0.05
    weight[rows // 2] = torch.arange(columns) % 16 / 2 - 4  # quotients that are often ties
    weight[rows - 1] = 0
    source = weight.to(TYPES[source_type])
    seen = source.float()

    symmetric = scheme.get("symmetric", True)
    args = QuantizationArgs(
        num_bits=scheme["bits"],
        type=scheme["type"],
        symmetric=symmetric,
        strategy=scheme["strategy"],
        group_size=scheme.get("groupSize"),
        scale_dtype=TYPES[scale_type],
    )
    groups = seen.reshape(rows, -1, scheme.get("groupSize") or columns)
    scales, zero_points = calculate_qparams(groups.amin(-1), groups.amax(-1), args)
    used = None if symmetric else zero_points
    dtype = torch.float8_e4m3fn if scheme["type"] == "float" else torch.int8
    codes = quantize(seen, scales, used, args, dtype=dtype)
    decoded = dequantize(codes, scales, used, args, dtype=torch.float32)
    packed = scheme.get("packed", False)
    return {
        "scheme": scheme,
        "sourceType": source_type,
        "scaleType": scale_type,
        "rows": rows,
        "columns": columns,
        "source": text(source),
        "codes": text(pack_to_int32(codes, scheme["bits"]) if packed else codes),
        "scales": text(scales.to(TYPES[scale_type])),
        "zeroPoints": None
        if symmetric
        else text(pack_to_int32(zero_points, scheme["bits"], packed_dim=0)),
        "decoded": text(decoded),
    }


torch.manual_seed(20)
json.dump(
    {
        "madeBy": f"compressed-tensors {compressed_tensors.__version__}, torch {torch.__version__}",
        "answers": [answer(*case) for case in CASES],
    },
    sys.stdout,
    indent=1,
)
print()
