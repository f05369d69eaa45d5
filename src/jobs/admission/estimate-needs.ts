import { SettingsError } from '../../optimizer/settings/errors.js';
import { parseQuantizationSettings } from '../../optimizer/settings/quantization-settings.js';
import type { Step } from '../../service-model/techniques.js';
import { type CalibrationWork, calibrationWork } from './calibration-work.js';
import { compilationNeeds } from './compilation-needs.js';
import type { SourceMeasure } from './measure-source.js';
import { type ModelSize, modelSize } from './model-size.js';
import type { Resources } from './resources.js';
import { activationsDisk, keptDisk } from './step-disk.js';
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

/** Passes through the weights that a token of calibration costs, and those of a technique beside which the
 * original model runs. */
const CALIBRATION_PASSES = 3;
const PASSES_BESIDE = 2 * CALIBRATION_PASSES;

/** Threads whose memory is counted; that of more is small beside what such a job takes anyway. */
const COUNTED_THREADS = 4;

/** Part of the weights that is still there after quantization, embeddings and scales counted. */
const LEAST_LEFT = 0.25;

/** Files of weights hardly shrink in an archive. */
const ARCHIVE_GROWTH = 1.3;

/** Of a model whose sizes are not known, a stage is held to be at most this part of it. */
const STAGE_PART = 1 / 4;

/** Of a quantized model a stored byte is held to be two weights. */
const WEIGHTS_PER_PACKED_BYTE = 2;

/** Parts of a job's needs that come from its steps. */
interface StepNeeds {
  readonly coreSeconds: number;
  readonly memoryBytes: number;
  /** Temporary space for its result, and for what it is made from. */
  readonly diskBytes: number;
  /** Temporary space that is free again when the step has ended, where the disk has so much left over. */
  readonly passingDisk?: ((freeBytes: number) => number) | undefined;
}

/** Where a job is to run. */
export interface JobPlace {
  /** Whether the source is copied to this machine rather than read where it is. */
  readonly copiesSources: boolean;
  /** Memory that all jobs together may take there: steps leave out what they can do without. */
  readonly roomBytes: number;
  /** Size of the disk that has the temporary space. */
  readonly diskBytes: number;
}

/**
 * What a job is expected to take: cores by how long it would run on one, memory of its hungriest step,
 * and temporary space for the results of all its steps (and for a copy of its source, where that is
 * made), and for the samples of the step that has most of them on the disk. Of results it is what they
 * take at the least, since the optimizer checks the exact sum before it writes.
 */
export function estimateNeeds(
  source: SourceMeasure,
  steps: readonly Step[],
  { copiesSources, roomBytes, diskBytes }: JobPlace,
): Resources {
  const all = steps.map((step, index) => {
    const before = steps.slice(0, index).some(({ technique }) => technique === 'quantization');
    return stepNeeds(source, step, before || isQuantized(source), roomBytes);
  });
  const coreSeconds = all.reduce((sum, needs) => sum + needs.coreSeconds, 0);
  const copy = source.archive ? source.bytes * ARCHIVE_GROWTH : copiesSources ? source.bytes : 0;
  const lasting = all.reduce((sum, needs) => sum + needs.diskBytes, copy);
  const passing = all.map(({ passingDisk }) => passingDisk?.(diskBytes - lasting) ?? 0);
  return {
    cores: Math.min(MAX_CORES, Math.max(1, Math.ceil(coreSeconds / SECONDS_PER_CORE))),
    memoryBytes: Math.ceil(Math.max(0, ...all.map(({ memoryBytes }) => memoryBytes))),
    diskBytes: Math.ceil(lasting + Math.max(0, ...passing)),
  };
}

function stepNeeds(
  source: SourceMeasure,
  step: Step,
  quantized: boolean,
  roomBytes: number,
): StepNeeds {
  const streaming = {
    coreSeconds: source.weightBytes / STREAMED_BYTES_PER_SECOND,
    memoryBytes: streamingMemory(COUNTED_THREADS),
    diskBytes: source.weightBytes * (step.technique === 'quantization' ? LEAST_LEFT : 1),
  };
  // A container of the caller's holds the whole model for all that is known.
  if (step.image !== undefined) {
    return { ...streaming, memoryBytes: streaming.memoryBytes + source.weightBytes };
  }
  if (step.technique === 'compilation') {
    const room = roomBytes - streaming.memoryBytes;
    const own = compilationNeeds(step.environment, weightsOf(source), quantized, room);
    return {
      coreSeconds: streaming.coreSeconds + own.operations / OPERATIONS_PER_SECOND,
      memoryBytes: streaming.memoryBytes + own.memoryBytes,
      diskBytes: own.diskBytes,
    };
  }
  if (step.technique !== 'quantization') return streaming;
  const model = modelSize(source);
  const run = readRuns(step, model?.maxPositions ?? Number.POSITIVE_INFINITY);
  const passes = run.work?.beside ? PASSES_BESIDE : CALIBRATION_PASSES;
  const operations =
    2 * weightsOf(source) * (run.evaluated * EVALUATIONS + run.calibrated * passes);
  return {
    ...streaming,
    coreSeconds: streaming.coreSeconds + operations / OPERATIONS_PER_SECOND,
    memoryBytes:
      streaming.memoryBytes +
      (model === undefined ? unknownModel(source, run) : knownModel(model, run)),
    passingDisk: model && ((freeBytes) => samplesDisk(model, run, freeBytes)),
  };
}

/** Tokens that go through the model, and the longest of their samples. */
interface Runs {
  readonly evaluated: number;
  readonly calibrated: number;
  readonly sampleTokens: number;
  /** What calibration is for; undefined without. */
  readonly work: CalibrationWork | undefined;
}

function readRuns({ environment }: Step, maxPositions: number): Runs {
  try {
    const { evaluation, calibration, scheme } = parseQuantizationSettings(environment);
    const sampleTokens = Math.min(calibration?.sampleTokens ?? 0, maxPositions);
    return {
      evaluated: evaluation.enabled ? (evaluation.tokens ?? EVALUATION_TOKENS) : 0,
      calibrated: (calibration?.samples ?? 0) * sampleTokens,
      sampleTokens,
      work: calibration && calibrationWork(scheme),
    };
  } catch (error) {
    // Settings are checked at creation; what the model's own file adds to them is the step's matter.
    if (!(error instanceof SettingsError)) throw error;
    return { evaluated: EVALUATION_TOKENS, calibrated: 0, sampleTokens: 0, work: undefined };
  }
}

function knownModel(model: ModelSize, run: Runs): number {
  const { evaluated, calibrated, sampleTokens, work } = run;
  const evaluation = forwardMemory(model, {
    tokens: evaluated,
    longest: Math.min(EVALUATION_WINDOW, model.maxPositions),
  });
  const text = { tokens: calibrated, longest: sampleTokens };
  const calibration = work === undefined ? 0 : calibrationMemory(model, text, work);
  return Math.max(evaluated > 0 ? evaluation : 0, calibration);
}

/** Evaluation and calibration come one after the other. */
function samplesDisk(
  model: ModelSize,
  { evaluated, calibrated, work }: Runs,
  freeBytes: number,
): number {
  const evaluation = activationsDisk(model, evaluated);
  if (work === undefined) return evaluation;
  const calibration = activationsDisk(model, calibrated, work.beside ? 2 : 1);
  return Math.max(
    evaluation,
    calibration + keptDisk(model, calibrated, work, freeBytes - calibration),
  );
}

/** Twice a stage's weights, since f32 is twice what is stored. */
function unknownModel(source: SourceMeasure, { evaluated, calibrated }: Runs): number {
  return evaluated + calibrated > 0 ? 2 * STAGE_PART * source.weightBytes : 0;
}

/** How many numbers the model consists of, as far as its size tells. */
function weightsOf(source: SourceMeasure): number {
  return isQuantized(source)
    ? source.weightBytes * WEIGHTS_PER_PACKED_BYTE
    : source.weightBytes / storedBytes(source);
}

function isQuantized({ config = {} }: SourceMeasure): boolean {
  const { quantization_config: own, compression_config: older } = config;
  return (own ?? older ?? null) !== null;
}

function storedBytes({ config = {} }: SourceMeasure): number {
  const type = config.torch_dtype ?? config.dtype;
  return type === 'float32' ? 4 : 2;
}
