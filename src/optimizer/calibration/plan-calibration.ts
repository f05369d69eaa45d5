import { availableParallelism } from 'node:os';
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
import { affordableSamples } from './affordable.js';
import { chooseSamples } from './samples.js';
import { stageFamilies } from './stage-families.js';

/** Passes through the blocks' weights that a token costs: every layer is multiplied once, and the sums
 * that its inputs leave, with all that lies between layers, cost about as much again. */
const PASSES = 2;

/** With the original model beside: its layers too, and the products of both models' inputs. */
const PASSES_BESIDE = 4;

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
  const passes = settings.scheme.technique === 'gptaq' ? PASSES_BESIDE : PASSES;
  const { samples, sampleTokens, notes } = affordableSamples(
    {
      perToken: 2 * passes * weightsPerToken(model).blocks,
      speed: expectedSpeed(settings.executionProvider),
      maxPositions: model.maxPositions,
    },
    calibration,
  );
  const request = { samples, sampleTokens, seed: calibration.seed };
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
      threads: calibration.threads ?? availableParallelism(),
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
