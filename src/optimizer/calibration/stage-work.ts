import type {
  ForwardBlock,
  ForwardModel,
} from '../../checkpoint/architectures/forward/forward-model.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { BlockStage } from '../forward/forward-pass.js';
import { CAPTURE_PLACES, type CapturePlace } from '../forward/graphs/capture.js';
import type { PlannedLayer } from '../quantization/plan.js';
import { scaleFamily } from '../techniques/fold-scales.js';
import type { InputStatistics } from '../techniques/input-statistics.js';
import type { Technique, TechniqueContext } from '../techniques/technique.js';
import { applyFold, stored } from './apply-fold.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { type FamilySource, readFamily } from './read-family.js';
import { type StageFamily, stageFamilies } from './stage-families.js';
import type { StatisticsCollector } from './statistics.js';
import { type FamilyTarget, writeFamily } from './write-family.js';

interface PlannedFamily extends StageFamily {
  readonly layers: readonly PlannedLayer[];
}

/** What became of a stage. */
export interface StageResult {
  readonly layers: readonly CalibratedLayer[];
  /** Stored tensors other than the layers' weights that took on scales. */
  readonly changed: readonly string[];
  /** What was met on the way. */
  readonly notes: readonly string[];
}

/** Gathers statistics of what passes at some places of the stage. */
export type CaptureInputs = (wanted: {
  readonly places: readonly CapturePlace[];
  /** Whether tokens are brought to the same size first. */
  readonly evenTokens: boolean;
  /** Whether a technique looks at the inputs' magnitudes. */
  readonly magnitudes: boolean;
  /** Whether nothing but the stage's last layer changes after this. */
  readonly last: boolean;
}) => Promise<StatisticsCollector>;

/** What a stage is quantized with. */
export interface StageTools extends FamilyTarget {
  /** Gathers statistics of the inputs at some places, with the weights as they are then. */
  readonly capture: CaptureInputs;
  readonly techniqueOf: (layer: PlannedLayer) => Technique;
  readonly context: TechniqueContext;
  /** The checkpoint's tensors. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** A family with the technique that it is quantized by. */
interface AssignedFamily extends PlannedFamily {
  readonly technique: Technique;
  /** Whether it is calibrated when the families before it are done. */
  readonly inTurn: boolean;
}

interface ScaledInputs {
  readonly factors: Float32Array;
  readonly inputs: InputStatistics;
}

/** What scaling did to a stage. */
interface StageScaling {
  readonly families: ReadonlyMap<PlannedFamily, ScaledInputs>;
  /** Tensors that make up for it. */
  readonly changed: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** Quantizes the linear layers of one stage of a block. */
export class StageWork {
  readonly block: ForwardBlock;
  readonly stage: BlockStage;
  /** Those whose layers are all to be quantized. */
  readonly families: readonly PlannedFamily[];
  readonly #planned: ReadonlyMap<string, PlannedLayer>;
  readonly #addOne: boolean;

  constructor(
    block: ForwardBlock,
    stage: BlockStage,
    planned: ReadonlyMap<string, PlannedLayer>,
    model: ForwardModel,
  ) {
    this.block = block;
    this.stage = stage;
    this.#planned = planned;
    this.#addOne = model.norms.addOne;
    this.families = stageFamilies(block, stage).flatMap((family) => {
      const layers = family.modules.flatMap((module) => planned.get(module) ?? []);
      return layers.length === family.modules.length ? [{ ...family, layers }] : [];
    });
  }

  /** Scales what the technique scales, encodes every family, writes what came of it, and leaves the
   * weights as the result has them.
   * @throws TechniqueError, FormatError, CheckpointError; the signal's reason when it aborts. */
  async quantize(tools: StageTools): Promise<StageResult> {
    const families = this.#assign(tools.techniqueOf);
    const sums = {
      evenTokens: families.every(({ technique }) => technique.evenTokens),
      magnitudes: families.some(({ technique }) => technique.magnitudes),
    };
    let statistics = families.every(({ technique, inTurn }) => inTurn && !technique.scale)
      ? undefined
      : await tools.capture({ places: placesOf(families), ...sums, last: false });
    const source = { ...tools, planned: this.#planned, addOne: this.#addOne };
    const scaling = await scaleFamilies(families, statistics, source, tools.context);
    const changed = await writeChanged(scaling.changed, tools);
    const layers: CalibratedLayer[] = [];
    const notes = [...scaling.notes];
    for (const [index, planned] of families.entries()) {
      const began = performance.now();
      const scaled = scaling.families.get(planned);
      let inputs = scaled?.inputs;
      if (statistics === undefined || (index > 0 && planned.inTurn)) {
        const { place } = planned;
        statistics = await tools.capture({ places: [place], ...sums, last: place === 'output' });
        inputs = beside(inputsOf(planned, statistics), scaled?.factors);
      }
      const family = await readFamily(planned, inputs ?? inputsOf(planned, statistics), source);
      const encoded = await planned.technique.encode(family, tools.context);
      notes.push(...encoded.notes);
      layers.push(...(await writeFamily(planned.layers, encoded, began, tools)));
    }
    return { layers, changed, notes };
  }

  #assign(techniqueOf: StageTools['techniqueOf']): readonly AssignedFamily[] {
    // Experts run one after the other: what one of them becomes changes nothing for the others.
    const sequential = this.block.feedForward.kind === 'feed-forward' || this.stage === 'attention';
    return this.families.map((family) => {
      const technique = techniqueOf(first(family.layers));
      return { ...family, technique, inTurn: sequential && technique.sequential };
    });
  }
}

/** Scales the families whose technique does, and what comes before them. The weights take it on.
 * @param statistics undefined where no technique scales. */
async function scaleFamilies(
  families: readonly AssignedFamily[],
  statistics: StatisticsCollector | undefined,
  source: FamilySource,
  context: TechniqueContext,
): Promise<StageScaling> {
  const scaled = new Map<PlannedFamily, ScaledInputs>();
  const changed = new Set<string>();
  const notes: string[] = [];
  for (const planned of families) {
    if (statistics === undefined || planned.technique.scale === undefined) continue;
    const family = await readFamily(planned, inputsOf(planned, statistics), source);
    const scaling = await planned.technique.scale(family, context);
    if (scaling === undefined) continue;
    const { weights, inputs } = scaleFamily(family, scaling.factors);
    for (const weight of weights) source.weights.setMatrix(weight.name, weight);
    for (const fold of scaling.folds) {
      for (const tensor of await applyFold(fold, source.weights)) changed.add(tensor);
    }
    notes.push(...scaling.notes);
    scaled.set(planned, { factors: scaling.factors, inputs });
  }
  return { families: scaled, changed, notes };
}

/** Writes tensors that are not quantized but took on scales.
 * @returns those of them that the checkpoint has. */
async function writeChanged(
  names: ReadonlySet<string>,
  { tensors, weights, output }: StageTools,
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    await output.write(name, await stored(tensor, weights));
    written.push(name);
  }
  return written;
}

/** Places in the order in which they come. */
function placesOf(families: readonly StageFamily[]): readonly CapturePlace[] {
  return CAPTURE_PLACES.filter((wanted) => families.some(({ place }) => place === wanted));
}

/** What was seen of a family's inputs; undefined where no token reached it. */
function inputsOf(
  { layers }: PlannedFamily,
  statistics: StatisticsCollector,
): InputStatistics | undefined {
  return statistics.of(first(layers).module);
}

/** Statistics from after scaling: the model's own inputs are scaled, the original ones are not yet. */
function beside(
  found: InputStatistics | undefined,
  factors: Float32Array | undefined,
): InputStatistics | undefined {
  if (found?.original === undefined || factors === undefined) return found;
  const { columns, original } = found;
  return {
    ...found,
    original: original.map((product, at) => product / (factors[at % columns] ?? 1)),
  };
}

function first(layers: readonly PlannedLayer[]): PlannedLayer {
  const [layer] = layers;
  if (layer === undefined) throw new Error('a family of layers is empty');
  return layer;
}
