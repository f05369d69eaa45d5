import { mapModules } from '../../checkpoint/architectures/modules.js';
import type { FolderFile } from '../../checkpoint/folder.js';
import { CONFIG_FILE, requireUnquantized } from '../../checkpoint/hf-config.js';
import type { JsonObject } from '../../checkpoint/json.js';
import { type Checkpoint, openCheckpoint } from '../../checkpoint/open.js';
import { INDEX_FILE } from '../../checkpoint/shard-index.js';
import { type CalibrationPlan, planCalibration } from '../calibration/plan-calibration.js';
import { type EvaluationPlan, planEvaluation } from '../evaluation/evaluate.js';
import { type CalibratedFormat, calibratedFormat } from '../formats/calibrated-format.js';
import { quantizationConfig } from '../formats/compressed-tensors.js';
import { checkOutputFolder, checkSpace, freeBytes } from '../output/folder.js';
import { resultProperties } from '../output/serving-properties.js';
import { planWeightFiles, type WeightFilesPlan } from '../output/weight-files.js';
import { previousSteps } from '../report/previous.js';
import { formatBytes } from '../report/table.js';
import { REPORT_FILE } from '../report/types.js';
import { bytesKept, workFolder } from '../resuming/finished-work.js';
import { PROPERTIES_FILE, type Properties } from '../settings/properties.js';
import {
  parseQuantizationSettings,
  type QuantizationSettings,
} from '../settings/quantization-settings.js';
import { readSourceProperties } from '../settings/source-properties.js';
import type { PreparedStep, StepRun } from '../step-frame.js';
import { planQuantization, type QuantizationPlan } from './plan.js';

/** All that is decided before the first byte is written. */
export interface PreparedQuantization extends PreparedStep {
  readonly checkpoint: Checkpoint;
  readonly settings: QuantizationSettings;
  readonly plan: QuantizationPlan;
  /** Its weight files are where they are worked on; from there they go into the output. */
  readonly weights: WeightFilesPlan;
  /** The result's `quantization_config`. */
  readonly quantization: JsonObject;
  readonly properties: Properties;
  /** What a calibrated technique works on, and the format that it writes. */
  readonly calibrated:
    | { readonly plan: CalibrationPlan; readonly format: CalibratedFormat }
    | undefined;
  /** Undefined where perplexity cannot or should not be measured; a note says why. */
  readonly evaluation: EvaluationPlan | undefined;
  /** Files that are carried along as they are. */
  readonly others: readonly FolderFile[];
  readonly notes: readonly string[];
}

/** Reads headers, configuration, settings and texts, and decides what becomes of every tensor and file.
 * @throws SettingsError, CheckpointError, OutputError, TextError, EvaluationError. */
export async function prepareQuantization(run: StepRun): Promise<PreparedQuantization> {
  const { inputFolder, outputFolder, resumeFolder, environment, datasets, signal } = run;
  const checkpoint = await openCheckpoint(inputFolder, signal);
  requireUnquantized(checkpoint.config);
  const sourceProperties = await readSourceProperties(checkpoint.files);
  const settings = parseQuantizationSettings(environment, sourceProperties);
  const output = await checkOutputFolder(outputFolder, checkpoint.folder);
  const modules = mapModules(checkpoint.config, checkpoint.tensors.values());
  const plan = planQuantization(modules, settings);
  const format = calibratedFormat(settings.scheme);
  const weights = planWeightFiles(checkpoint, plan, workFolder(resumeFolder, output), format);
  const quantization = configFor(checkpoint, plan, format);
  const serving = resultProperties(sourceProperties, settings, String(quantization.quant_method));
  const calibrated =
    format === undefined || settings.calibration === undefined
      ? undefined
      : {
          format,
          plan: await planCalibration(checkpoint, plan, settings, settings.calibration, datasets),
        };
  const evaluation = await planEvaluation(checkpoint, settings, datasets);
  const earlier = await previousSteps(checkpoint.files);
  const others = otherFiles(checkpoint);
  const planned = [...weights.files, ...others];
  const kept = await bytesKept(
    resumeFolder,
    weights.files.map(({ name }) => name),
  );
  const needed = planned.reduce((sum, { size }) => sum + size, 0) - kept;
  await checkSpace(output, needed);
  const left = (await freeBytes(output)) - needed;
  const partial = checkpoint.files.reduce((sum, { size }) => sum + size, 0);
  return {
    checkpoint,
    settings,
    plan,
    output,
    weights,
    quantization,
    properties: serving.properties,
    calibrated,
    evaluation: 'reason' in evaluation ? undefined : evaluation,
    others,
    earlierSteps: earlier.steps,
    notes: [
      ...checkpoint.notes,
      ...settings.notes,
      ...plan.notes,
      ...(calibrated?.plan.notes ?? []),
      ...('reason' in evaluation
        ? [`Perplexity was not measured: ${evaluation.reason}.`]
        : evaluation.notes),
      ...serving.notes,
      ...earlier.notes,
      ...(left < partial
        ? [
            `A stop might leave no partial model: it takes up to ${formatBytes(partial)} beside the finished layers, and ${formatBytes(left)} are left on the disk.`,
          ]
        : []),
    ],
  };
}

/** The `quantization_config` of a result. */
export function configFor(
  { config: { multimodal } }: Checkpoint,
  plan: QuantizationPlan,
  format: CalibratedFormat | undefined,
): JsonObject {
  return format?.config(plan, multimodal) ?? quantizationConfig(plan, multimodal);
}

function otherFiles({ files, shards }: Checkpoint): readonly FolderFile[] {
  const replaced = new Set([
    CONFIG_FILE,
    INDEX_FILE,
    PROPERTIES_FILE,
    REPORT_FILE,
    ...shards.map(({ file }) => file),
  ]);
  return files.filter(({ name }) => !replaced.has(name));
}
