// The page: a prompt goes in, the model's text comes out token by token.
import { loadModel } from './model.js';

const prompt = document.querySelector('#prompt');
const count = document.querySelector('#tokens');
const button = document.querySelector('button');
const output = document.querySelector('output');
const status = document.querySelector('#status');

const began = performance.now();
const model = await loadModel().catch((error) => {
  status.textContent = `The model could not be loaded: ${error.message}`;
  throw error;
});
status.textContent = `Loaded in ${seconds(began)} s.`;
button.disabled = false;

document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  output.textContent = prompt.value;
  const started = performance.now();
  try {
    const ids = await model.generate(prompt.value, count.valueAsNumber, (text) => {
      output.textContent += text;
    });
    const rate = (ids.length / (performance.now() - started)) * 1000;
    status.textContent = `${ids.length} tokens in ${seconds(started)} s, ${rate.toFixed(1)} a second.`;
  } catch (error) {
    status.textContent = `The model stumbled: ${error.message}`;
  } finally {
    button.disabled = false;
  }
});

function seconds(since) {
  return ((performance.now() - since) / 1000).toFixed(2);
}
