import { DEFAULT_MEMORY_BYTES } from '../../optimizer/forward/activations.js';
import { RUN_TOKENS } from '../../optimizer/forward/sequences.js';
import { TILE_POSITIONS } from '../../optimizer/forward/stages/attention-tables.js';
import { LEAST_ROWS, SAMPLE_WEIGHTS } from '../../optimizer/techniques/scale-search.js';
import type { CalibrationWork } from './calibration-work.js';
import type { ModelSize } from './model-size.js';

/**
 * How much memory a step of the built-in optimizer takes, as a function of the model's sizes.
 *
 * The terms are what the optimizer holds at a time, as its own files say; the constants were measured
 * (BENCHMARKS.md, "What a job is expected to take"): peaks of whole processes on models of width 1,024
 * and 2,048 lie between 0.55 and 0.95 of what is estimated here.
 */

const MEGABYTE = 1024 * 1024;

/** A process that streams weights through its threads: 100 to 130 MB with 2 threads, whatever the
 * model's size. */
const STREAMING_BYTES = 110 * MEGABYTE;
const STREAMING_BYTES_PER_THREAD = 12 * MEGABYTE;

/** ONNX Runtime with its sessions, the tokenizer, a text, and buffers that wait to be collected. */
const FORWARD_BYTES = 240 * MEGABYTE;

/** Largest intermediate of a feed-forward run, and how many of them exist together. */
const WIDE_BYTES = 64 * MEGABYTE;
const WIDE_COPIES = 3;

/** Attention scores exist before the mask, after it, and after the softmax. */
const SCORE_COPIES = 3;

/** Masks of a whole sequence: with and without a sliding window. */
const MASK_COPIES = 2;

/** Beside, the original model has its own stage in f32, and its Gram matrix is one more, of which solving
 * needs two copies. */
const WEIGHT_COPIES_BESIDE = 1.5;
const GRAM_COPIES_BESIDE = 2;

/** Copies of a stage's weights in f32: one for the graph and half of one as it is stored; where they are
 * quantized, the original, the scaled and the decoded ones. */
const FORWARD_WEIGHT_COPIES = 1.5;
const CALIBRATED_WEIGHT_COPIES = 3;

/** Weights of the largest family that takes its scales from one search: queries, keys and values. */
const FAMILY_WEIGHTS = 3;

/** Rows on which scales are tried, and their errors: there, and both in the memory of the kernels. */
const ERROR_COPIES = 3;

const F32 = Float32Array.BYTES_PER_ELEMENT;

/** Of a step that reads weights and writes them, and runs nothing. */
export function streamingMemory(threads: number): number {
  return STREAMING_BYTES + threads * STREAMING_BYTES_PER_THREAD;
}

/** What a text of so many tokens, in samples of this length, takes on its way through a model. */
export interface TextSize {
  readonly tokens: number;
  readonly longest: number;
}

/** What forward passes take on top of streaming. */
export function forwardMemory(model: ModelSize, text: TextSize): number {
  return (
    FORWARD_BYTES +
    FORWARD_WEIGHT_COPIES * F32 * Math.max(attentionWeights(model), networkWeights(model)) +
    passing(model, text)
  );
}

/** What a calibrated technique takes on top of streaming. */
export function calibrationMemory(
  model: ModelSize,
  text: TextSize,
  { gramCopies, scales, searches, beside }: CalibrationWork,
): number {
  const weights = Math.max(attentionWeights(model), model.experts * networkWeights(model));
  return (
    FORWARD_BYTES +
    CALIBRATED_WEIGHT_COPIES * F32 * weights +
    (scales ? 2 : 1) * gramSums(model) +
    gramCopies * F32 * widestInputs(model) ** 2 +
    (searches ? searchedRows(model) : 0) +
    passing(model, text) +
    (beside ? memoryBeside(model, text) : 0)
  );
}

/** What a technique takes on top of that which lets the original model run beside. */
function memoryBeside(model: ModelSize, { tokens }: TextSize): number {
  return (
    WEIGHT_COPIES_BESIDE * F32 * Math.max(attentionWeights(model), networkWeights(model)) +
    gramSums(model) +
    GRAM_COPIES_BESIDE * F32 * widestInputs(model) ** 2 +
    Math.min(tokens * model.hidden * F32, DEFAULT_MEMORY_BYTES)
  );
}

/** Rows of a family that scales are tried on, and their errors, some at a time. */
const searchedRows = (model: ModelSize): number =>
  F32 * (FAMILY_WEIGHTS * LEAST_ROWS * widestInputs(model) + ERROR_COPIES * SAMPLE_WEIGHTS);

/** Activations up to their budget, and the largest that lies between two layers in one run. */
function passing(model: ModelSize, { tokens, longest }: TextSize): number {
  const { hidden, intermediate, experts, heads, keyValueHeads } = model;
  const activations = Math.min(tokens * hidden * F32, DEFAULT_MEMORY_BYTES);
  const group = Math.ceil(heads / keyValueHeads);
  const tile = Math.min(longest, TILE_POSITIONS);
  const scores = (SCORE_COPIES * group * tile + MASK_COPIES * longest) * longest * F32;
  const wide = WIDE_COPIES * Math.min(WIDE_BYTES, RUN_TOKENS * intermediate * F32);
  // Before experts all tokens are routed, and their inputs kept.
  return activations * (experts > 1 ? 2 : 1) + Math.max(scores, wide);
}

const attentionWeights = ({ hidden, headSize, heads, keyValueHeads }: ModelSize): number =>
  hidden * headSize * 2 * (heads + keyValueHeads);

const networkWeights = ({ hidden, intermediate }: ModelSize): number => 3 * hidden * intermediate;

const widestInputs = ({ hidden, intermediate, heads, headSize }: ModelSize): number =>
  Math.max(hidden, intermediate, heads * headSize);

/** Gram matrices of the inputs that layers of one stage have. */
function gramSums({ hidden, intermediate, experts, heads, headSize }: ModelSize): number {
  const attention = hidden ** 2 + (heads * headSize) ** 2;
  const network = experts * (hidden ** 2 + intermediate ** 2);
  return F32 * Math.max(attention, network);
}
