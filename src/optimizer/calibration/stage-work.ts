import type {
  ForwardBlock,
  ForwardModel,
} from '../../checkpoint/architectures/forward/forward-model.js';
import { CheckpointError } from '../../checkpoint/errors.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import { findNonFinite } from '../../kernels/index.js';
import type { CalibratedFormat } from '../formats/calibrated-format.js';
import type { BlockStage } from '../forward/forward-pass.js';
import { CAPTURE_PLACES, type CapturePlace } from '../forward/graphs/capture.js';
import type { PlannedLayer } from '../quantization/plan.js';
import { decodeWeight } from '../techniques/decode-weight.js';
import { scaleFamily } from '../techniques/fold-scales.js';
import type { InputStatistics } from '../techniques/input-statistics.js';
import type {
  EncodedLayer,
  Family,
  LinearWeight,
  Preceding,
  Technique,
  TechniqueContext,
} from '../techniques/technique.js';
import { applyFold, isFloat, stored } from './apply-fold.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { digestWeight } from './digest-weight.js';
import { measureError } from './measure-error.js';
import type { OutputTensors } from './output-tensors.js';
import { type StageFamily, stageFamilies } from './stage-families.js';
import type { StatisticsCollector } from './statistics.js';
import type { WorkingWeights } from './working-weights.js';

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

interface Scaled {
  readonly factors: Float32Array;
  readonly inputs: InputStatistics;
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
   * @param capture gathers statistics of the inputs at some places, with the weights as they are then. */
  async quantize(
    capture: CaptureInputs,
    weights: WorkingWeights,
    techniqueOf: (layer: PlannedLayer) => Technique,
    format: CalibratedFormat,
    output: OutputTensors,
    context: TechniqueContext,
    {
      tensors,
      onLayer,
    }: {
      readonly tensors: ReadonlyMap<string, TensorInfo>;
      readonly onLayer: (done: CalibratedLayer) => void;
    },
  ): Promise<StageResult> {
    const notes: string[] = [];
    const changed = new Set<string>();
    const scaled = new Map<PlannedFamily, Scaled>();
    const techniques = this.families.map(({ layers }) => techniqueOf(first(layers)));
    const evenTokens = techniques.every((technique) => technique.evenTokens);
    const magnitudes = techniques.some((technique) => technique.magnitudes);
    const sums = { evenTokens, magnitudes };
    // Experts run one after the other: what one of them becomes changes nothing for the others.
    const sequential = this.block.feedForward.kind === 'feed-forward' || this.stage === 'attention';
    const inTurn = (technique: Technique | undefined): boolean =>
      sequential && technique?.sequential === true;
    let statistics = techniques.every((technique) => inTurn(technique) && !technique.scale)
      ? undefined
      : await capture({ places: placesOf(this.families), ...sums, last: false });
    for (const [index, planned] of this.families.entries()) {
      const technique = techniques[index];
      if (statistics === undefined || technique?.scale === undefined) continue;
      const found = await this.#family(planned, statistics, undefined, weights, tensors);
      const scaling = await technique.scale?.(found, context);
      if (scaling === undefined) continue;
      const after = scaleFamily(found, scaling.factors);
      for (const weight of after.weights) weights.setMatrix(weight.name, weight);
      for (const fold of scaling.folds) {
        for (const tensor of await applyFold(fold, weights)) changed.add(tensor);
      }
      notes.push(...scaling.notes);
      scaled.set(planned, { factors: scaling.factors, inputs: after.inputs });
    }
    for (const name of changed) {
      const tensor = tensors.get(name);
      if (tensor !== undefined) await output.write(name, await stored(tensor, weights));
    }
    const layers: CalibratedLayer[] = [];
    for (const [index, planned] of this.families.entries()) {
      let started = performance.now();
      const technique = techniques[index];
      if (technique === undefined) throw new Error('a family has no technique');
      let known = scaled.get(planned)?.inputs;
      if (statistics === undefined || (index > 0 && inTurn(technique))) {
        const { place } = planned;
        statistics = await capture({ places: [place], ...sums, last: place === 'output' });
        known = beside(statistics.of(first(planned.layers).module), scaled.get(planned)?.factors);
      }
      const family = await this.#family(planned, statistics, known, weights, tensors);
      const encoded = await technique.encode(family, context);
      notes.push(...encoded.notes);
      for (const [place, layer] of planned.layers.entries()) {
        const found = encoded.layers[place];
        const weight = family.weights[place];
        if (found === undefined || weight === undefined) {
          throw new Error(`${layer.module} was not encoded`);
        }
        const written = await writeLayer(layer, found, format, output);
        const decoded = decodeWeight(found.weight);
        weights.setMatrix(layer.module, decoded);
        const now = performance.now();
        const done: CalibratedLayer = {
          layer,
          error: measureError(weight, decoded.values),
          outputError: found.error.output,
          digest: digestWeight(decoded.values),
          bytesAfter: written,
          seconds: (now - started) / 1000,
        };
        started = now;
        layers.push(done);
        onLayer(done);
      }
    }
    return { layers, changed: [...changed].filter((name) => tensors.has(name)), notes };
  }

  async #family(
    { modules, preceding }: PlannedFamily,
    statistics: StatisticsCollector,
    scaled: InputStatistics | undefined,
    weights: WorkingWeights,
    tensors: ReadonlyMap<string, TensorInfo>,
  ): Promise<Family> {
    const linear: LinearWeight[] = [];
    for (const module of modules) {
      const matrix = await weights.matrix(module);
      checkFinite(module, matrix.values);
      linear.push({ name: module, ...matrix });
    }
    const [{ name, columns } = { name: '', columns: 0 }] = linear;
    const before = await this.#preceding(preceding, weights, tensors);
    return {
      name: modules.length === 1 ? name : modules.join(', '),
      weights: linear,
      inputs: scaled ?? statistics.of(name) ?? unseen(columns),
      ...(before === undefined ? {} : { preceding: before }),
    };
  }

  async #preceding(
    preceding: StageFamily['preceding'],
    weights: WorkingWeights,
    tensors: ReadonlyMap<string, TensorInfo>,
  ): Promise<Preceding | undefined> {
    if (preceding === undefined) return undefined;
    const { module } = preceding;
    if (preceding.kind === 'linear') {
      // One that keeps its precision was meant to be left as it is.
      const layer = this.#planned.get(module);
      if (layer === undefined) return undefined;
      return { kind: 'linear', name: module, rows: layer.rows, rowOf: preceding.rowOf };
    }
    const name = `${module}.weight`;
    const type = tensors.get(name)?.dtype;
    if (!isFloat(type)) return undefined;
    return {
      kind: 'norm',
      name: module,
      weight: await weights.tensor(name),
      addsOne: this.#addOne,
      storedAs: type,
      alsoFeeds: [],
    };
  }
}

/** Places in the order in which they come. */
function placesOf(families: readonly StageFamily[]): readonly CapturePlace[] {
  return CAPTURE_PLACES.filter((wanted) => families.some(({ place }) => place === wanted));
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

/** Of an expert that no sample was sent to: nothing is known, so all channels count the same. */
function unseen(columns: number): InputStatistics {
  const gram = new Float32Array(columns * columns);
  for (let column = 0; column < columns; column += 1) gram[column * (columns + 1)] = 1;
  const ones = new Float32Array(columns).fill(1);
  return { columns, tokens: 1, gram, meanMagnitude: ones, largestMagnitude: ones };
}

async function writeLayer(
  layer: PlannedLayer,
  { weight }: EncodedLayer,
  format: CalibratedFormat,
  output: OutputTensors,
): Promise<number> {
  let bytes = 0;
  for (const { name, data } of format.pack(layer, weight)) {
    await output.write(name, data);
    bytes += data.length;
  }
  return bytes;
}

/** @throws CheckpointError if a weight holds NaN or infinity. */
function checkFinite(module: string, values: Float32Array): void {
  const at = findNonFinite(values);
  if (at === undefined) return;
  throw new CheckpointError(`has ${values[at]} at element ${at}: the checkpoint is damaged`, {
    tensor: `${module}.weight`,
  });
}

function first(layers: readonly PlannedLayer[]): PlannedLayer {
  const [layer] = layers;
  if (layer === undefined) throw new Error('a family of layers is empty');
  return layer;
}
