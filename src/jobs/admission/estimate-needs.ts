import { SettingsError } from '../../optimizer/settings/errors.js';
import { parseQuantizationSettings } from '../../optimizer/settings/quantization-settings.js';
import type { Step } from '../../service-model/techniques.js';
import type { SourceMeasure } from './measure-source.js';
import { type ModelSize, modelSize } from './model-size.js';
import type { Resources } from './resources.js';
import { calibrationMemory, forwardMemory, streamingMemory } from './step-memory.js';

/** A core is worth having for this much of a step's work. Jobs of seconds then run beside each other on
 * a core each, and a job of minutes has the cores that shorten it. */
const SECONDS_PER_CORE = 30;

/** No step makes use of more. */
const MAX_CORES = 64;

/** Weights that one core reads, quantizes, verifies and checksums in a second: a whole step on 1 GB took
 * 1.5 s on two cores (BENCHMARKS.md). */
const STREAMED_BYTES_PER_SECOND = 0.3e9;

/** Operations a second of one core in a forward pass, as the optimizer expects them. */
const OPERATIONS_PER_SECOND = 40e9;

/** Where nothing is said of evaluation: how many tokens go through, before and after. */
const EVALUATION_TOKENS = 16_384;
const EVALUATION_WINDOW = 2048;
const EVALUATIONS = 2;

/** Passes through the weights that a token of calibration costs. */
const CALIBRATION_PASSES = 3;

/** Threads whose memory is counted; that of more is small beside what such a job takes anyway. */
const COUNTED_THREADS = 4;

/** Part of the weights that is still there after quantization, embeddings and scales counted. */
const LEAST_LEFT = 0.25;

/** Files of weights hardly shrink in an archive. */
const ARCHIVE_GROWTH = 1.3;

/** Of a model whose sizes are not known, a stage is held to be at most this part of it. */
const STAGE_PART = 1 / 4;

/** Parts of a job's needs that come from its steps. */
interface StepNeeds {
  readonly coreSeconds: number;
  readonly memoryBytes: number;
}

/**
 * What a job is expected to take: cores by how long it would run on one, memory of its hungriest step,
 * and temporary space for the results of all its steps (and for a copy of its source, where that is
 * made). Space is what it takes at the least, since the optimizer checks the exact sum before it writes.
 *
 * @param copied whether the source is copied to this machine rather than read where it is
 */
export function estimateNeeds(
  source: SourceMeasure,
  steps: readonly Step[],
  copied: boolean,
): Resources {
  const all = steps.map((step) => stepNeeds(source, step));
  const coreSeconds = all.reduce((sum, needs) => sum + needs.coreSeconds, 0);
  const copy = source.archive ? source.bytes * ARCHIVE_GROWTH : copied ? source.bytes : 0;
  const results = steps.map(({ technique }) =>
    technique === 'quantization' ? source.weightBytes * LEAST_LEFT : source.weightBytes,
  );
  return {
    cores: Math.min(MAX_CORES, Math.max(1, Math.ceil(coreSeconds / SECONDS_PER_CORE))),
    memoryBytes: Math.ceil(Math.max(0, ...all.map(({ memoryBytes }) => memoryBytes))),
    diskBytes: Math.ceil(copy + results.reduce((sum, bytes) => sum + bytes, 0)),
  };
}

function stepNeeds(source: SourceMeasure, step: Step): StepNeeds {
  const streaming = {
    coreSeconds: source.weightBytes / STREAMED_BYTES_PER_SECOND,
    memoryBytes: streamingMemory(COUNTED_THREADS),
  };
  // A container of the caller's holds the whole model for all that is known.
  if (step.image !== undefined) {
    return { ...streaming, memoryBytes: streaming.memoryBytes + source.weightBytes };
  }
  if (step.technique !== 'quantization') return streaming;
  const model = modelSize(source);
  const run = readRuns(step, model?.maxPositions ?? Number.POSITIVE_INFINITY);
  const weights = source.weightBytes / storedBytes(source);
  const operations =
    2 * weights * (run.evaluated * EVALUATIONS + run.calibrated * CALIBRATION_PASSES);
  return {
    coreSeconds: streaming.coreSeconds + operations / OPERATIONS_PER_SECOND,
    memoryBytes:
      streaming.memoryBytes +
      (model === undefined ? unknownModel(source, run) : knownModel(model, run)),
  };
}

/** Tokens that go through the model, and the longest of their samples. */
interface Runs {
  readonly evaluated: number;
  readonly calibrated: number;
  readonly sampleTokens: number;
}

function readRuns({ environment }: Step, maxPositions: number): Runs {
  try {
    const { evaluation, calibration } = parseQuantizationSettings(environment);
    const sampleTokens = Math.min(calibration?.sampleTokens ?? 0, maxPositions);
    return {
      evaluated: evaluation.enabled ? (evaluation.tokens ?? EVALUATION_TOKENS) : 0,
      calibrated: (calibration?.samples ?? 0) * sampleTokens,
      sampleTokens,
    };
  } catch (error) {
    // Settings are checked at creation; what the model's own file adds to them is the step's matter.
    if (!(error instanceof SettingsError)) throw error;
    return { evaluated: EVALUATION_TOKENS, calibrated: 0, sampleTokens: 0 };
  }
}

function knownModel(model: ModelSize, { evaluated, calibrated, sampleTokens }: Runs): number {
  const evaluation = forwardMemory(model, {
    tokens: evaluated,
    longest: Math.min(EVALUATION_WINDOW, model.maxPositions),
  });
  const calibration = calibrationMemory(model, {
    tokens: calibrated,
    longest: sampleTokens,
  });
  return Math.max(evaluated > 0 ? evaluation : 0, calibrated > 0 ? calibration : 0);
}

/** Twice a stage's weights, since f32 is twice what is stored. */
function unknownModel(source: SourceMeasure, { evaluated, calibrated }: Runs): number {
  return evaluated + calibrated > 0 ? 2 * STAGE_PART * source.weightBytes : 0;
}

function storedBytes({ config = {} }: SourceMeasure): number {
  const type = config.torch_dtype ?? config.dtype;
  return type === 'float32' ? 4 : 2;
}
