"""Records known answers for the packing of weights, by the readers' own code.

Words are drawn at random and handed to the reader; what it makes of them is the weight that has to
pack into exactly these words. Scales are given as the bits of half-precision numbers. Usage, in an environment with torch, autoawq (its packing utilities are
enough), gptqmodel and compressed-tensors:

    record_packing_vectors.py OUTPUT.json AUTOAWQ_PACKING_UTILS.py
"""

import importlib.util
import json
import sys

import torch

SEED = 20240611


def words(*shape):
    return torch.randint(-(2**31), 2**31, shape, dtype=torch.int64).to(torch.int32)


def scales(*shape):
    return (torch.rand(*shape) * 0.1 + 1e-6).half()


def fields(tensor, bits):
    """Random words whose fields of whole codes all stay below the highest code."""
    per_word = 32 // bits
    codes = torch.randint(0, 2**bits - 1, (*tensor, per_word), dtype=torch.int64)
    packed = (codes << (torch.arange(per_word) * bits)).sum(-1)
    return (packed - (packed >= 2**31) * 2**32).to(torch.int32)


def listed(tensor):
    return tensor.reshape(-1).tolist()


def autoawq(path):
    spec = importlib.util.spec_from_file_location("packing_utils", path)
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    columns, rows, group = 64, 24, 16
    qweight, qzeros = words(columns, rows // 8), words(columns // group, rows // 8)
    codes, zeros = utils.reverse_awq_order(*utils.unpack_awq(qweight, qzeros, 4), 4)
    step = scales(columns // group, rows)
    return {
        "format": "autoawq",
        "weight": {"rows": rows, "columns": columns, "bits": 4, "groupSize": group},
        "codes": listed(torch.bitwise_and(codes, 15).T),
        "zeroPoints": listed(torch.bitwise_and(zeros, 15).T),
        "scales": listed(step.T.contiguous().view(torch.int16)),
        "tensors": {"qweight": listed(qweight), "qzeros": listed(qzeros)},
    }


def gptq(bits, group, reordered):
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module

    columns, rows = 64, 32
    groups = columns // group
    layer = TorchLinear(
        bits=bits,
        group_size=group,
        sym=False,
        desc_act=reordered,
        in_features=columns,
        out_features=rows,
        bias=False,
        pack_dtype=torch.int32,
        register_buffers=True,
    )
    if bits == 3:
        # Codes straddle words here, so the stored zero points (less one) are drawn and then packed.
        stored = torch.randint(0, 7, (groups, rows), dtype=torch.int64)
        stream = torch.zeros(groups, rows * 3, dtype=torch.int64)
        for bit in range(3):
            stream[:, bit::3] = (stored >> bit) & 1
        packed = (stream.view(groups, -1, 32) << torch.arange(32)).sum(-1)
        qzeros = (packed - (packed >= 2**31) * 2**32).to(torch.int32)
    else:
        qzeros = fields((groups, rows * bits // 32), bits)
    qweight = words(columns * bits // 32, rows)
    g_idx = torch.arange(columns) // group
    if reordered:
        g_idx = g_idx[torch.randperm(columns)]
    step = scales(groups, rows)
    layer.qweight.data, layer.scales.data = qweight.clone(), step.clone()
    layer.qzeros.data, layer.g_idx.data = qzeros.clone(), g_idx.to(torch.int32)
    convert_gptq_v1_to_v2_format_module(layer, bits=bits, pack_dtype=torch.int32)
    layer.post_init()
    # With scales of one and zero points taken off, what the reader decodes are the codes.
    layer.scales.data = torch.ones_like(step)
    differences = layer.dequantize_weight().to(torch.int64)
    layer.qweight.data = torch.zeros_like(qweight)
    zeros_by_column = -layer.dequantize_weight().to(torch.int64)
    first = torch.stack([(g_idx == g).nonzero()[0, 0] for g in range(groups)])
    return {
        "format": "gptq",
        "weight": {"rows": rows, "columns": columns, "bits": bits, "groupSize": group},
        "codes": listed((differences + zeros_by_column).T),
        "zeroPoints": listed(zeros_by_column[first].T),
        "scales": listed(step.T.contiguous().view(torch.int16)),
        "groupOf": listed(g_idx) if reordered else None,
        "tensors": {"qweight": listed(qweight), "qzeros": listed(qzeros), "g_idx": listed(g_idx)},
    }


def compressed(bits, group, columns):
    from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

    rows, groups, half = 16, -(-columns // group), 2 ** (bits - 1)
    codes = torch.randint(0, 2**bits, (rows, columns))
    zeros = torch.randint(0, 2**bits, (rows, groups))
    weight = pack_to_int32((codes - half).to(torch.int8), bits)
    zero_points = pack_to_int32((zeros - half).to(torch.int8), bits, packed_dim=0)
    return {
        "format": "compressed-tensors",
        "weight": {"rows": rows, "columns": columns, "bits": bits, "groupSize": group},
        "codes": listed(codes),
        "zeroPoints": listed(zeros),
        "scales": listed(scales(rows, groups).view(torch.int16)),
        "tensors": {"weight_packed": listed(weight), "weight_zero_point": listed(zero_points)},
    }


def main(output, autoawq_path):
    torch.manual_seed(SEED)
    vectors = [
        autoawq(autoawq_path),
        gptq(2, 32, False),
        gptq(3, 32, False),
        gptq(4, 16, False),
        gptq(4, 16, True),
        gptq(8, 64, False),
        compressed(3, 20, 50),
        compressed(4, 16, 48),
        compressed(8, 24, 24),
    ]
    with open(output, "w", encoding="utf-8") as file:
        json.dump(vectors, file, separators=(",", ":"))
        file.write("\n")


main(*sys.argv[1:])
