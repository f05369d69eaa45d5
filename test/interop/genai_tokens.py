"""Prints, as JSON, the tokens that onnxruntime-genai makes most likely after a prompt.

usage: python genai_tokens.py FOLDER COUNT TOKEN...
"""

import json
import sys

import onnxruntime_genai


def main():
    folder, count, prompt = sys.argv[1], int(sys.argv[2]), [int(text) for text in sys.argv[3:]]
    model = onnxruntime_genai.Model(folder)
    length = len(prompt) + count
    parameters = onnxruntime_genai.GeneratorParams(model)
    parameters.set_search_options(do_sample=False, min_length=length, max_length=length)
    generator = onnxruntime_genai.Generator(model, parameters)
    generator.append_tokens(prompt)
    while not generator.is_done():
        generator.generate_next_token()
    print(json.dumps([int(token) for token in generator.get_sequence(0)[len(prompt) :]]))


if __name__ == "__main__":
    main()
