import { findNonFinite } from '../../kernels/index.js';
import { TechniqueError } from './errors.js';
import type { Family, LinearWeight } from './technique.js';

/** @throws TechniqueError unless a family's weights and statistics fit each other and are finite. */
export function checkFamily({ name, weights, inputs }: Family): void {
  if (!(inputs.tokens > 0)) {
    throw new TechniqueError(
      name,
      'no calibration token reached it; more calibration text is needed.',
    );
  }
  const { columns } = inputs;
  for (const [what, values, length] of [
    ['Gram matrix', inputs.gram, columns ** 2],
    ['product with the original inputs', inputs.original, columns ** 2],
    ['mean magnitudes', given(inputs.meanMagnitude), columns],
    ['largest magnitudes', given(inputs.largestMagnitude), columns],
  ] as const) {
    if (values === undefined) continue;
    if (values.length !== length) {
      throw new TechniqueError(
        name,
        `its ${what} have ${values.length} elements, and ${columns} input channels need ${length}.`,
      );
    }
    if (findNonFinite(values) !== undefined) {
      throw new TechniqueError(
        name,
        `its ${what} are not finite: the model overflows on the calibration text.`,
      );
    }
  }
  for (const weight of weights) checkWeight(weight, columns);
}

/** Magnitudes that nobody asked for are empty. */
function given(values: Float32Array): Float32Array | undefined {
  return values.length === 0 ? undefined : values;
}

function checkWeight({ name, rows, columns, values }: LinearWeight, inputs: number): void {
  if (columns !== inputs || values.length !== rows * columns) {
    throw new TechniqueError(
      name,
      `its weight of [${rows}, ${columns}] has ${values.length} elements and ${inputs} input channels.`,
    );
  }
  if (findNonFinite(values) !== undefined) {
    throw new TechniqueError(
      name,
      'its weight holds NaN or an infinity; the checkpoint is damaged.',
    );
  }
}
