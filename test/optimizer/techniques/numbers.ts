import type { Matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import type { Family, LinearWeight } from '#burnish/optimizer/techniques/technique.js';

/** Roughly normal numbers. */
export function randomMatrix(random: () => number, rows: number, columns: number): Matrix {
  const values = Float32Array.from(
    { length: rows * columns },
    () => random() + random() + random() + random() - 2,
  );
  return { rows, columns, values };
}

/** `XᵀX`, summed in f64. */
export function gramOf({ rows, columns, values }: Matrix): Matrix {
  const gram = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let t = 0; t < rows; t++) {
        sum += (values[t * columns + i] ?? 0) * (values[t * columns + j] ?? 0);
      }
      gram[i * columns + j] = sum;
      gram[j * columns + i] = sum;
    }
  }
  return { rows: columns, columns, values: gram };
}

/** Inputs whose channels differ in size and hang together, as those of real layers do. */
export function randomInputs(random: () => number, tokens: number, columns: number): Matrix {
  const { values } = randomMatrix(random, tokens, columns);
  const sizes = Array.from({ length: columns }, () => Math.exp(3 * random() - 1.5));
  for (let t = 0; t < tokens; t++) {
    for (let c = columns - 1; c >= 0; c--) {
      const at = t * columns + c;
      const neighbour = c === 0 ? 0 : (values[at - 1] ?? 0);
      values[at] = ((values[at] ?? 0) + 0.7 * neighbour) * (sizes[c] ?? 1);
    }
  }
  return { rows: tokens, columns, values };
}

/** A family with the statistics of the given inputs. */
export function familyOf(
  inputs: Matrix,
  weights: readonly Matrix[],
  rest: Pick<Family, 'preceding'> = {},
): Family {
  const { rows, columns, values } = inputs;
  const mean = new Float32Array(columns);
  const largest = new Float32Array(columns);
  for (let at = 0; at < values.length; at++) {
    const c = at % columns;
    const magnitude = Math.abs(values[at] ?? 0);
    mean[c] = (mean[c] ?? 0) + magnitude / rows;
    largest[c] = Math.max(largest[c] ?? 0, magnitude);
  }
  return {
    name: 'family',
    weights: weights.map((weight, i): LinearWeight => ({ name: `layer${i}`, ...weight })),
    inputs: {
      columns,
      tokens: rows,
      gram: gramOf(inputs).values,
      meanMagnitude: mean,
      largestMagnitude: largest,
    },
    ...rest,
  };
}

/** `‖X·(W − Ŵ)ᵀ‖²`, from the inputs themselves. */
export function outputDistance(inputs: Matrix, weight: Matrix, other: Matrix): number {
  let sum = 0;
  for (let t = 0; t < inputs.rows; t++) {
    for (let row = 0; row < weight.rows; row++) {
      let off = 0;
      for (let c = 0; c < inputs.columns; c++) {
        const at = row * inputs.columns + c;
        const error = (weight.values[at] ?? 0) - (other.values[at] ?? 0);
        off += (inputs.values[t * inputs.columns + c] ?? 0) * error;
      }
      sum += off * off;
    }
  }
  return sum;
}
