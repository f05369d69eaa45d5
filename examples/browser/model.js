// Loads the compiled model that the server offers under /model/, with Transformers.js on ONNX Runtime Web.
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  TextStreamer,
} from './transformers/transformers.min.js';

// Everything comes from the server of this page: the model, and ONNX Runtime's WebAssembly.
env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = new URL('.', import.meta.url).pathname;
env.backends.onnx.wasm.wasmPaths = new URL('onnxruntime/', import.meta.url).href;

/**
 * The result of a compilation with `OPTION_COMPILE_LAYOUT=transformers_js`; its config.json says what its
 * weights are.
 */
export async function loadModel() {
  const [tokenizer, model] = await Promise.all([
    AutoTokenizer.from_pretrained('model'),
    AutoModelForCausalLM.from_pretrained('model', { device: 'wasm' }),
  ]);
  return {
    /**
     * Goes on from a prompt with the most likely token, up to `count` times.
     * @param onText is given the text piece by piece
     * @returns the IDs of the new tokens
     */
    async generate(prompt, count, onText = () => {}) {
      const inputs = tokenizer(prompt);
      const streamer = new TextStreamer(tokenizer, {
        skip_prompt: true,
        callback_function: onText,
      });
      const sequences = await model.generate({
        ...inputs,
        max_new_tokens: count,
        do_sample: false,
        streamer,
      });
      const ids = sequences.tolist()[0].map(Number);
      return ids.slice(inputs.input_ids.dims[1]);
    },
  };
}
