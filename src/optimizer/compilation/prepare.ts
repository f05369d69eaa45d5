import { tmpdir } from 'node:os';
import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import { readForwardModel } from '../../checkpoint/architectures/forward/read-forward-model.js';
import type { FolderFile } from '../../checkpoint/folder.js';
import { CONFIG_FILE } from '../../checkpoint/hf-config.js';
import { type Checkpoint, openCheckpoint } from '../../checkpoint/open.js';
import { INDEX_FILE } from '../../checkpoint/shard-index.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import { checkOutputFolder, checkSpaces } from '../output/folder.js';
import { previousSteps } from '../report/previous.js';
import { REPORT_FILE, type StepReport } from '../report/types.js';
import { bytesKept } from '../resuming/finished-work.js';
import {
  type CompilationSettings,
  parseCompilationSettings,
} from '../settings/compilation-settings.js';
import { SettingsError } from '../settings/errors.js';
import { PROPERTIES_FILE } from '../settings/properties.js';
import { readSourceProperties } from '../settings/source-properties.js';
import type { StepRun } from '../step-frame.js';
import { type ChosenForms, chooseForms } from './choose-forms.js';
import { type DecoderGraph, decoderGraph } from './graph/decoder.js';
import type { GraphOptions } from './graph/decoder-context.js';
import { GENAI_CONFIG_FILE, genaiConfig } from './output/genai-config.js';
import { readGenerationConfig } from './output/generation-config.js';
import { type CompiledFiles, compiledFiles } from './output/layouts.js';
import { compiledProperties } from './output/serving-properties.js';
import { transformersJsConfig } from './output/transformers-js-config.js';
import { type MeasuringPlan, planMeasuring } from './plan-measuring.js';
import { logicalTensors } from './weights/logical-tensors.js';

/** A graph that is to be written. */
export interface PreparedGraph extends DecoderGraph {
  readonly options: GraphOptions;
  readonly files: CompiledFiles;
}

/** What the graph is to be. */
interface DecidedCompilation {
  readonly checkpoint: Checkpoint;
  readonly settings: CompilationSettings;
  readonly model: ForwardModel;
  readonly chosen: ChosenForms;
  /** Longest sequence. */
  readonly positions: number;
  readonly graph: PreparedGraph;
}

/** All that is decided before the first byte is written. */
export interface PreparedCompilation extends DecidedCompilation {
  /** The output folder, with links followed; it is empty. */
  readonly output: string;
  /** Small files of the result and their contents. */
  readonly texts: ReadonlyMap<string, string>;
  /** Files that are carried along as they are. */
  readonly others: readonly FolderFile[];
  /** Undefined where it is not wanted. */
  readonly measuring: MeasuringPlan | undefined;
  readonly earlierSteps: readonly StepReport[];
  readonly notes: readonly string[];
}

/** Reads headers, configuration, settings and texts, and decides what the graph is and where every byte of
 * its weights goes.
 * @throws SettingsError, CheckpointError, CompilationError, OutputError, TextError. */
export async function prepareCompilation(run: StepRun): Promise<PreparedCompilation> {
  const { inputFolder, outputFolder, resumeFolder, scratchFolder, environment, datasets, signal } =
    run;
  const checkpoint = await openCheckpoint(inputFolder, signal);
  const source = await readSourceProperties(checkpoint.files);
  const files = new TensorFiles(checkpoint.tensors);
  try {
    const tensors = await logicalTensors(checkpoint.tensors, files);
    const model = readForwardModel(checkpoint.config, tensors);
    const settings = parseCompilationSettings(environment, source, isQuantized(checkpoint));
    const chosen = await chooseForms(model, checkpoint.tensors, files, settings);
    const positions = positionsOf(model, settings);
    const names = compiledFiles(settings.layout, chosen.dtype);
    const graph = prepareGraph(model, checkpoint, names, {
      element: chosen.dtype === 'fp16' ? 'float16' : 'float32',
      positions,
      fuse: settings.level > 0,
      accuracyLevel: settings.accuracyLevel,
      formOf: (module) => chosen.forms.get(module) ?? { kind: 'float' },
      embedding: chosen.embedding,
    });
    const output = await checkOutputFolder(outputFolder, checkpoint.folder);
    const serving = compiledProperties(source, settings);
    const decided = { checkpoint, settings, model, chosen, positions, graph };
    const texts = await writtenTexts(decided, serving.properties);
    const others = otherFiles(checkpoint, [...texts.keys(), names.graph, names.weights]);
    const made = graph.weightBytes + graph.model.length;
    const kept = await bytesKept(resumeFolder, [names.weights]);
    const carried = others.reduce((sum, { size }) => sum + size, 0);
    await checkSpaces(
      { folder: output, bytes: made + carried - kept },
      // What a graph is rewritten from is written first.
      { folder: scratchFolder ?? tmpdir(), bytes: isRewritten(settings) ? made : 0 },
    );
    const measuring = settings.measure
      ? await planMeasuring(checkpoint, model, positions, settings, datasets)
      : undefined;
    const earlier = await previousSteps(checkpoint.files);
    return {
      ...decided,
      ...{ output, texts, others, measuring },
      earlierSteps: earlier.steps,
      notes: [
        ...checkpoint.notes,
        ...settings.notes,
        ...chosen.notes,
        ...(measuring?.notes ?? ['Nothing was measured: OPTION_COMPILE_MEASURE is false.']),
        ...serving.notes,
        ...earlier.notes,
      ],
    };
  } finally {
    await files.close();
  }
}

/** Builds a graph, its weights planned.
 * @param names where it goes, from its folder. */
export function prepareGraph(
  model: ForwardModel,
  { tensors }: Checkpoint,
  names: CompiledFiles,
  given: Omit<GraphOptions, 'has'>,
): PreparedGraph {
  const options = { ...given, has: (tensor: string): boolean => tensors.has(tensor) };
  const weights = names.weights.slice(names.weights.lastIndexOf('/') + 1);
  return { ...decoderGraph(model, weights, options), options, files: names };
}

function isQuantized({ config }: Checkpoint): boolean {
  return [config.values, config.languageModel].some((part) =>
    ['quantization_config', 'compression_config'].some(
      (key) => part[key] !== undefined && part[key] !== null,
    ),
  );
}

function positionsOf(model: ForwardModel, settings: CompilationSettings): number {
  const asked = settings.positions ?? model.maxPositions;
  if (asked > model.maxPositions) {
    const label = settings.label('n_positions');
    throw new SettingsError(
      label,
      `${label} is ${asked}, but the model was made for ${model.maxPositions} positions`,
    );
  }
  return asked;
}

/** The small files of the layout that was asked for.
 * @param properties contents of `serving.properties`. */
async function writtenTexts(
  { checkpoint, model, settings, chosen, positions, graph }: DecidedCompilation,
  properties: string,
): Promise<ReadonlyMap<string, string>> {
  const { config, files } = checkpoint;
  const texts = new Map([[PROPERTIES_FILE, properties]]);
  if (settings.layout === 'transformers_js') {
    return texts.set(CONFIG_FILE, transformersJsConfig(config, graph.files, chosen.dtype));
  }
  const facts = {
    fileName: graph.files.graph,
    positions,
    optimized: isRewritten(settings),
  };
  const generation = await readGenerationConfig(files);
  return texts.set(GENAI_CONFIG_FILE, genaiConfig(config, generation, model, facts));
}

/** Whether ONNX Runtime's own rewriting for this machine is saved in the result. */
export function isRewritten({ target, level }: CompilationSettings): boolean {
  return target === 'this_machine' && level > 0;
}

/** All but the weights and what is written anew. */
function otherFiles(
  { files, shards }: Checkpoint,
  written: readonly string[],
): readonly FolderFile[] {
  const replaced = new Set([
    INDEX_FILE,
    REPORT_FILE,
    ...written,
    ...shards.map(({ file }) => file),
  ]);
  return files.filter(({ name }) => !replaced.has(name));
}
