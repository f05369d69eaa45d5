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
    if (!allFinite(values)) {
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
  if (!allFinite(values)) {
    throw new TechniqueError(
      name,
      'its weight holds NaN or an infinity; the checkpoint is damaged.',
    );
  }
}

/** A sum is finite only if all its terms are, or if they are too large for what is done with them. */
function allFinite(values: Float32Array): boolean {
  // Sums of their own, so that none has to wait for another.
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    sum0 += Math.abs(values[i] ?? 0);
    sum1 += Math.abs(values[i + 1] ?? 0);
    sum2 += Math.abs(values[i + 2] ?? 0);
    sum3 += Math.abs(values[i + 3] ?? 0);
  }
  for (let i = whole; i < values.length; i++) sum0 += Math.abs(values[i] ?? 0);
  return Number.isFinite(sum0 + sum1 + sum2 + sum3);
}
