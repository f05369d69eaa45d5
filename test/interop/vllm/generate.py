"""Prints what vLLM generates greedily from a folder, as JSON: one list of tokens for each prompt.

    python generate.py FOLDER TENSOR_PARALLEL_DEGREE LOAD_FORMAT
"""

import json
import os
import sys

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
os.environ.setdefault("OMP_NUM_THREADS", "1")

PROMPTS = [[1, 5, 9, 33], [7, 7, 100], [512, 2, 11, 800, 46]]


def main() -> None:
    from vllm import LLM, SamplingParams

    folder, degree, load_format = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    llm = LLM(
        model=folder,
        tensor_parallel_size=degree,
        load_format=load_format,
        # Sums over ranks differ in their last bits; in f32 no choice hangs on those.
        dtype="float32",
        enforce_eager=True,
        max_model_len=64,
        max_num_seqs=4,
        skip_tokenizer_init=True,
        distributed_executor_backend="mp" if degree > 1 else None,
    )
    outputs = llm.generate(
        [{"prompt_token_ids": prompt} for prompt in PROMPTS],
        SamplingParams(temperature=0, max_tokens=24, detokenize=False),
        use_tqdm=False,
    )
    print(json.dumps([list(output.outputs[0].token_ids) for output in outputs]))


if __name__ == "__main__":
    main()
