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
    ['mean magnitudes', inputs.meanMagnitude, columns],
    ['largest magnitudes', inputs.largestMagnitude, columns],
  ] as const) {
    if (values === undefined) continue;
    if (values.length !== length) {
      throw new TechniqueError(
        name,
        `its ${what} have ${values.length} elements, and ${columns} input channels need ${length}.`,
      );
    }
    if (!allFinite(values)) {
      throw new TechniqueError(
        name,
        `its ${what} are not finite: the model overflows on the calibration text.`,
      );
    }
  }
  for (const weight of weights) checkWeight(weight, columns);
}

function checkWeight({ name, rows, columns, values }: LinearWeight, inputs: number): void {
  if (columns !== inputs || values.length !== rows * columns) {
    throw new TechniqueError(
      name,
      `its weight of [${rows}, ${columns}] has ${values.length} elements and ${inputs} input channels.`,
    );
  }
  if (!allFinite(values)) {
    throw new TechniqueError(
      name,
      'its weight holds NaN or an infinity; the checkpoint is damaged.',
    );
  }
}

/** A sum is finite only if all its terms are, or if they are too large for what is done with them. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i] ?? 0);
  return Number.isFinite(sum);
}
