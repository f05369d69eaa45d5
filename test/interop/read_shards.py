"""Puts chunked ranks together again, reading nothing but the manifest's own description, and compares
every byte with the source. Shares no code with the program that wrote them.

    python read_shards.py SOURCE RESULT
"""

import json
import sys
import zlib
from pathlib import Path

import numpy


def read_source(path: Path) -> dict[str, tuple[list[int], bytes]]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {
        name: (entry["shape"], body[slice(*entry["data_offsets"])])
        for name, entry in header.items()
    }


def main() -> None:
    source = read_source(Path(sys.argv[1]) / "model.safetensors")
    folder = Path(sys.argv[2])
    manifest = json.loads((folder / "model.chunks.json").read_text())
    size = manifest["chunkBytes"]
    ranks = manifest["ranks"]
    assert len(ranks) == manifest["tensorParallelDegree"] * manifest["pipelineParallelDegree"]
    joined: dict[str, numpy.ndarray] = {}
    for rank in ranks:
        data = (folder / rank["file"]).read_bytes()
        assert len(data) == rank["bytes"]
        sums = [f"{zlib.crc32(data[at : at + size]):08x}" for at in range(0, len(data), size)]
        assert sums == rank["chunks"], f"FAIL: checksums of {rank['file']}"
        for tensor in rank["tensors"]:
            part = data[tensor["offset"] : tensor["offset"] + tensor["bytes"]]
            shape = tensor["shape"]
            cut = tensor.get("slice", {"of": shape, "axis": 0, "ranges": [[0, shape[0]]]})
            count = int(numpy.prod(shape, dtype=numpy.int64))
            array = numpy.frombuffer(part, dtype=f"V{len(part) // count}").reshape(shape)
            whole = joined.setdefault(
                tensor["name"], numpy.zeros(cut["of"], dtype=array.dtype)
            )
            at = 0
            for first, length in cut["ranges"]:
                index = [slice(None)] * len(shape)
                own = list(index)
                index[cut["axis"]] = slice(first, first + length)
                own[cut["axis"]] = slice(at, at + length)
                whole[tuple(index)] = array[tuple(own)]
                at += length
    assert set(joined) == set(source), f"FAIL: {set(joined) ^ set(source)}"
    for name, (shape, data) in source.items():
        assert list(joined[name].shape) == shape, f"FAIL: {name}"
        assert joined[name].tobytes() == data, f"FAIL: {name}"
    print(f"ok: {len(source)} tensors from {len(ranks)} ranks")


if __name__ == "__main__":
    main()
