import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import { readForwardModel } from '../../checkpoint/architectures/forward/read-forward-model.js';
import { CheckpointError } from '../../checkpoint/errors.js';
import type { Checkpoint } from '../../checkpoint/open.js';
import { readTokenizer } from '../../checkpoint/tokenizer/tokenizer.js';
import { expectedSpeed, weightsPerToken } from '../forward/cost.js';
import type { QuantizationPlan } from '../quantization/plan.js';
import type { CalibrationReport } from '../report/types.js';
import type {
  CalibrationSettings,
  QuantizationSettings,
} from '../settings/quantization-settings.js';
import { CALIBRATION_TEXT } from '../texts/bundled.js';
import { readChatTemplate } from '../texts/chat-template.js';
import { TextError } from '../texts/errors.js';
import { readTextSource } from '../texts/read-text.js';
import { chooseSamples } from './samples.js';
import { stageFamilies } from './stage-families.js';

/** How long calibration may be expected to take before its defaults are cut down. */
const MAX_SECONDS = 4 * 3600;

/** Passes through the blocks' weights that a token costs: one to gather statistics, whose products cost
 * about as much again, and one to move on. */
const PASSES = 3;

/** What is not gone below when the defaults are cut down. */
const LEAST_SAMPLES = 32;
const LEAST_SAMPLE_TOKENS = 512;

/** What a calibrated technique works on. */
export interface CalibrationPlan {
  readonly model: ForwardModel;
  readonly sequences: readonly Int32Array[];
  readonly report: CalibrationReport;
  readonly notes: readonly string[];
}

/** Reads the samples, before anything is written.
 * @param datasets local files by the name of the setting that names them.
 * @throws CheckpointError if the model's forward pass is not known or it has no tokenizer; TextError if
 * the text cannot be used. */
export async function planCalibration(
  checkpoint: Checkpoint,
  plan: QuantizationPlan,
  settings: QuantizationSettings,
  calibration: CalibrationSettings,
  datasets: Readonly<Record<string, string>>,
): Promise<CalibrationPlan> {
  const model = knownModel(checkpoint, settings);
  checkLayers(model, plan);
  const tokenizer = await readTokenizer(checkpoint.files);
  const { dataset } = calibration;
  const path = dataset === undefined ? CALIBRATION_TEXT.path : datasets.OPTION_CALIB_DATASET;
  if (path === undefined) throw new TextError(`OPTION_CALIB_DATASET, ${dataset}, was not staged`);
  const template = await readChatTemplate(checkpoint.files, tokenizer.config);
  const { request, notes } = affordable(model, settings, calibration);
  const sequences = chooseSamples(await readTextSource(path, template), tokenizer, request);
  const unknown = sequences.flatMap((ids) => [...ids]).find((id) => id >= model.vocabulary);
  if (unknown !== undefined) {
    throw new CheckpointError(
      `the tokenizer has the token ${unknown}, which the embedding of ${model.vocabulary} rows lacks`,
    );
  }
  const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
  const short = sequences.length < request.samples;
  return {
    model,
    sequences,
    report: {
      text: dataset ?? CALIBRATION_TEXT.name,
      samples: sequences.length,
      tokens,
      longestSample: sequences[0]?.length ?? 0,
      seed: calibration.seed,
    },
    notes: [
      ...notes,
      ...(short
        ? [
            `The text to calibrate with has ${sequences.length} samples of up to ${request.sampleTokens} tokens; ${request.samples} were wanted.`,
          ]
        : []),
    ],
  };
}

function knownModel(checkpoint: Checkpoint, settings: QuantizationSettings): ForwardModel {
  try {
    return readForwardModel(checkpoint.config, checkpoint.tensors);
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(
      `${settings.scheme.technique} has to run the model, and that cannot be done: ${error.message}. Techniques that need no data are rtn, int8 and fp8 with OPTION_FP8_SCHEME=FP8_DYNAMIC`,
    );
  }
}

/** Every planned layer must be one that the forward pass goes through. */
function checkLayers(model: ForwardModel, plan: QuantizationPlan): void {
  const known = new Set(
    model.blocks.flatMap((block) =>
      [...stageFamilies(block, 'attention'), ...stageFamilies(block, 'feedForward')].flatMap(
        ({ modules }) => modules,
      ),
    ),
  );
  const foreign = plan.layers.find(({ module }) => !known.has(module));
  if (foreign !== undefined) {
    throw new CheckpointError(
      `the layer ${foreign.module} is not part of the model’s forward pass, so it cannot be calibrated; name it in the technique’s ignore list`,
    );
  }
}

interface Affordable {
  readonly request: Parameters<typeof chooseSamples>[2];
  readonly notes: readonly string[];
}

/** Cuts defaults down where the work would take absurdly long on this machine: first the length of
 * samples, then their number. What the caller gave is kept. */
function affordable(
  model: ForwardModel,
  { executionProvider }: QuantizationSettings,
  calibration: CalibrationSettings,
): Affordable {
  const { seed, samplesGiven, sampleTokensGiven } = calibration;
  const perToken = 2 * PASSES * weightsPerToken(model).blocks;
  const limit = (expectedSpeed(executionProvider) * MAX_SECONDS) / perToken;
  let { samples } = calibration;
  let sampleTokens = Math.min(calibration.sampleTokens, model.maxPositions);
  const before = `${samples} samples of ${sampleTokens} tokens`;
  if (!sampleTokensGiven) {
    while (samples * sampleTokens > limit && sampleTokens > LEAST_SAMPLE_TOKENS) {
      sampleTokens = Math.max(LEAST_SAMPLE_TOKENS, Math.floor(sampleTokens / 2));
    }
  }
  if (!samplesGiven) {
    while (samples * sampleTokens > limit && samples > LEAST_SAMPLES) {
      samples = Math.max(LEAST_SAMPLES, Math.floor(samples / 2));
    }
  }
  const after = `${samples} samples of ${sampleTokens} tokens`;
  return {
    request: { samples, sampleTokens, seed },
    notes:
      after === before
        ? []
        : [
            `Calibration was cut down from ${before} to ${after}, since more would take too long on this machine; OPTION_CALIB_SIZE and OPTION_MAX_MODEL_LEN set other numbers.`,
          ],
  };
}
