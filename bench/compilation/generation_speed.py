"""Times one engine on one model: reading a prompt, and generating after it, on a thread for
each processor.

usage: python generation_speed.py ENGINE MODEL PROMPT_TOKENS NEW_TOKENS ROUNDS

ENGINE is onnxruntime-genai (MODEL is a folder with genai_config.json), onnxruntime-genai-as-it-is (the
same, with as many threads as the folder says, or onnxruntime-genai where it says nothing), llama.cpp (a
GGUF file) or transformers (a checkpoint, run in bfloat16). Prints one line of JSON: the seconds that loading took, and
the medians of tokens per second over the rounds, after one round that does not count.
"""

import json
import os
import statistics
import sys
import time

THREADS = len(os.sched_getaffinity(0))


class OnnxRuntimeGenai:
    def __init__(self, folder, threads=THREADS):
        import onnxruntime_genai

        self.library = onnxruntime_genai
        config = onnxruntime_genai.Config(folder)
        if threads is not None:
            options = {"session_options": {"intra_op_num_threads": threads}}
            config.overlay(json.dumps({"model": {"decoder": options}}))
        self.model = onnxruntime_genai.Model(config)

    def round(self, prompt, new_tokens):
        parameters = self.library.GeneratorParams(self.model)
        length = len(prompt) + new_tokens
        parameters.set_search_options(do_sample=False, min_length=length, max_length=length)
        generator = self.library.Generator(self.model, parameters)
        began = time.perf_counter()
        generator.append_tokens(prompt)
        generator.generate_next_token()
        first = time.perf_counter()
        for _ in range(new_tokens - 1):
            generator.generate_next_token()
        return first - began, time.perf_counter() - first


class LlamaCpp:
    def __init__(self, path):
        from llama_cpp import Llama

        self.model = Llama(
            path, n_ctx=2048, n_threads=THREADS, n_threads_batch=THREADS, verbose=False
        )

    def round(self, prompt, new_tokens):
        self.model.reset()
        began = time.perf_counter()
        tokens = self.model.generate(prompt, temp=0.0)
        next(tokens)
        first = time.perf_counter()
        for _ in range(new_tokens - 1):
            next(tokens)
        return first - began, time.perf_counter() - first


class Transformers:
    def __init__(self, folder):
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(THREADS)
        self.torch = torch
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)

    def round(self, prompt, new_tokens):
        with self.torch.no_grad():
            ids = self.torch.tensor([prompt])
            began = time.perf_counter()
            out = self.model(ids, use_cache=True, logits_to_keep=1)
            token = out.logits[:, -1:].argmax(-1)
            first = time.perf_counter()
            for _ in range(new_tokens - 1):
                out = self.model(token, past_key_values=out.past_key_values, use_cache=True)
                token = out.logits[:, -1:].argmax(-1)
            return first - began, time.perf_counter() - first


ENGINES = {
    "onnxruntime-genai": OnnxRuntimeGenai,
    "onnxruntime-genai-as-it-is": lambda folder: OnnxRuntimeGenai(folder, None),
    "llama.cpp": LlamaCpp,
    "transformers": Transformers,
}


def main():
    engine, path = sys.argv[1:3]
    prompt_tokens, new_tokens, rounds = (int(text) for text in sys.argv[3:6])
    # Any tokens do; these are spread over the vocabulary's commoner part.
    prompt = [1 + (index * 7919) % 900 for index in range(prompt_tokens)]
    began = time.perf_counter()
    model = ENGINES[engine](path)
    loading = time.perf_counter() - began
    model.round(prompt, 8)
    measured = [model.round(prompt, new_tokens) for _ in range(rounds)]
    result = {
        "loadSeconds": loading,
        "promptPerSecond": prompt_tokens / statistics.median(first for first, _ in measured),
        "generatedPerSecond": (new_tokens - 1) / statistics.median(rest for _, rest in measured),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
