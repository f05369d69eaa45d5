import { CheckpointError } from '../../errors.js';
import { CONFIG_FILE } from '../../hf-config.js';
import { EXPERT } from '../architecture.js';
import type { ConfigReader } from './config-reader.js';
import type { ExpertsLayout, GatedLayout } from './forward-architecture.js';
import type { Activation, ExpertsStage, FeedForwardStage, GatedNetwork } from './forward-model.js';
import { checkShape, readProjection, required, type Tensors } from './module-tensors.js';

/** Experts in the largest published models are a tenth of this. */
const MAX_EXPERTS = 8192;

/** By the names that configurations give them. */
const ACTIVATION_NAMES: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  relu: 'relu',
};

/** The width comes from the tensors: experts have another than plain networks, under names of
 * configuration that differ. */
function readGatedNetwork(
  layout: GatedLayout,
  reader: ConfigReader,
  tensors: Tensors,
  parent: string,
): GatedNetwork {
  const hiddenSize = reader.count('hidden_size');
  const output = `${parent}.${layout.output}`;
  const width = required(tensors, output).shape[1] ?? 0;
  const name = reader.text('hidden_activation', 'hidden_act');
  const activation = Object.hasOwn(ACTIVATION_NAMES, name) ? ACTIVATION_NAMES[name] : undefined;
  if (activation === undefined) {
    throw new CheckpointError(
      `has the activation ${name}; known are ${Object.keys(ACTIVATION_NAMES).join(', ')}`,
      { file: CONFIG_FILE },
    );
  }
  return {
    inputs: layout.inputs.map((projection) =>
      readProjection(projection, { gate: width, up: width }, hiddenSize, tensors, parent),
    ),
    output: checkShape(tensors, output, hiddenSize, width),
    activation,
  };
}

/** Describes a plain feed-forward network of one block, `name`. @throws CheckpointError */
export function readGated(
  layout: GatedLayout,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
): Omit<FeedForwardStage, 'norms'> {
  return { kind: 'feed-forward', ...readGatedNetwork(layout, reader, tensors, name) };
}

/** Describes the mixture of experts of one block, `name`. @throws CheckpointError */
export function readExperts(
  layout: ExpertsLayout,
  reader: ConfigReader,
  tensors: Tensors,
  name: string,
): Omit<ExpertsStage, 'norms'> {
  const [count = 0] = required(tensors, `${name}.${layout.router}`).shape;
  const hiddenSize = reader.count('hidden_size');
  const chosen = reader.count(layout.chosenKey);
  if (chosen > count || count > MAX_EXPERTS) {
    throw new CheckpointError(`chooses ${chosen} of ${count} experts in ${name}`, {
      file: CONFIG_FILE,
    });
  }
  const { normalized, shared } = layout;
  return {
    kind: 'experts',
    router: checkShape(tensors, `${name}.${layout.router}`, count, hiddenSize),
    experts: Array.from({ length: count }, (_, index) =>
      readGatedNetwork(
        layout,
        reader,
        tensors,
        `${name}.${layout.expert.replace(EXPERT, String(index))}`,
      ),
    ),
    chosen,
    normalized: normalized === true || reader.flag(normalized.key),
    shared:
      shared === undefined
        ? undefined
        : {
            network: readGatedNetwork(layout, reader, tensors, `${name}.${shared.prefix}`),
            gate: checkShape(tensors, `${name}.${shared.gate}`, 1, hiddenSize),
          },
  };
}
