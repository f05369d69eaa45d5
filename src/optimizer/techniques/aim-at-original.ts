import type { Matrix } from '../linear-algebra/linear-algebra.js';
import { FactorSolver } from '../linear-algebra/solve.js';
import type { FactoredGram } from './prepare-gram.js';
import { forEachSlab } from './slabs.js';
import type { Family, LinearWeight, TechniqueContext } from './technique.js';

/**
 * The weights that give the original model's output from the inputs as they are now.
 *
 * With inputs X and those of the original model X′, `‖WX′ − ŴX‖²` is least where Ŵ is
 * `W + W·(X′ᵀX − XᵀX)·(XᵀX + λ)⁻¹`, and grows from there as the Gram matrix of X says. So aiming at
 * these weights is all that it takes to make up for the errors of earlier layers (the asymmetric
 * calibration of Li et al., "GPTAQ", 2025, solved for the weights). The damping λ pulls towards W.
 *
 * The weights themselves where the statistics do not have the original inputs.
 */
export async function aimAtOriginal(
  { inputs, weights }: Family,
  { factor, order }: FactoredGram,
  { algebra, signal }: TechniqueContext,
): Promise<readonly Matrix[]> {
  const { columns, gram, original } = inputs;
  if (original === undefined) return weights;
  const drift = new Float32Array(original.length);
  for (let i = 0; i < drift.length; i++) drift[i] = (original[i] ?? 0) - (gram[i] ?? 0);
  const solver = new FactorSolver(factor);
  const targets: Matrix[] = [];
  for (const weight of weights) targets.push(await moveWeight(weight, drift));
  return targets;

  async function moveWeight(weight: LinearWeight, from: Float32Array): Promise<Matrix> {
    const values = weight.values.slice();
    await forEachSlab(weight.rows, signal, async (first, end) => {
      const width = end - first;
      const rows = weight.values.subarray(first * columns, end * columns);
      const product = await algebra.multiply(
        { rows: columns, columns, values: from },
        { rows: width, columns, values: rows },
        { transposeB: true },
      );
      const moves = order === undefined ? product : reorderRows(product, order);
      await solver.solve(algebra, moves, signal);
      for (let k = 0; k < columns; k++) {
        const column = order?.[k] ?? k;
        for (let r = 0; r < width; r++) {
          const at = (first + r) * columns + column;
          values[at] = (values[at] ?? 0) + (moves.values[k * width + r] ?? 0);
        }
      }
    });
    return { rows: weight.rows, columns, values };
  }
}

function reorderRows({ rows, columns, values }: Matrix, order: Uint32Array): Matrix {
  const reordered = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) {
    const from = (order[i] ?? 0) * columns;
    reordered.set(values.subarray(from, from + columns), i * columns);
  }
  return { rows, columns, values: reordered };
}
