"""Writes a GGUF file anew as Q4_0, with llama.cpp's own quantizer.

usage: python requantize_gguf.py FROM.gguf TO.gguf
"""

import sys

import llama_cpp


def main():
    source, target = (path.encode() for path in sys.argv[1:3])
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0
    parameters.allow_requantize = True
    if llama_cpp.llama_model_quantize(source, target, parameters) != 0:
        sys.exit("llama.cpp could not quantize the file")


if __name__ == "__main__":
    main()
