import { factor, type TriangularFactor } from '../linear-algebra/factor.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';
import { TechniqueError } from './errors.js';
import { diagonalOf, type InputStatistics } from './input-statistics.js';
import type { TechniqueContext } from './technique.js';

/** A Gram matrix that another diagonal makes positive definite. */
export interface DampedGram {
  /** As it was. */
  readonly matrix: Matrix;
  /** With the damping; dead channels, whose rows hold nothing else, have the mean of the others there. */
  readonly dampedDiagonal: Float32Array;
  /** What was added to the diagonal, relative to its mean. */
  readonly damping: number;
  readonly deadChannels: number;
  /** The diagonal before damping: how much each channel's errors matter by themselves. */
  readonly diagonal: Float32Array;
}

/** Factor by which damping grows where a matrix is still singular. */
const DAMPING_STEP = 10;
/** A Gram matrix has no negative eigenvalues but those that f32 gave it, which this covers by far. */
const MOST_DAMPING = 10;

/** Adds `damping` times the mean of the diagonal to it. A channel that was zero in every token gets a
 * diagonal of its own, so that its weights are rounded to nearest and move no others. */
function dampGram(inputs: InputStatistics, damping: number): DampedGram {
  const { columns, gram } = inputs;
  const diagonal = diagonalOf(inputs);
  const alive = diagonal.filter((square) => square > 0);
  const mean =
    alive.length === 0 ? 1 : alive.reduce((sum, square) => sum + square, 0) / alive.length;
  const dampedDiagonal = diagonal.map((square) => (square > 0 ? square : mean) + damping * mean);
  const deadChannels = columns - alive.length;
  const matrix = { rows: columns, columns, values: gram };
  return { matrix, dampedDiagonal, damping, deadChannels, diagonal };
}

/** The matrix with the damping on its diagonal. */
export function dampedMatrix({ matrix, dampedDiagonal }: DampedGram): Matrix {
  const values = matrix.values.slice();
  for (const [i, square] of dampedDiagonal.entries()) values[i * (matrix.columns + 1)] = square;
  return { ...matrix, values };
}

export interface FactoredGram {
  readonly gram: DampedGram;
  /** The order of rows and columns in which it is factored; their own if undefined. */
  readonly order: Uint32Array | undefined;
  readonly factor: TriangularFactor;
}

/**
 * Damps a Gram matrix and factors it with its rows and columns in the given order; raises the damping
 * for as long as the matrix is singular.
 *
 * @throws TechniqueError if no damping helps.
 */
export async function factorGram(
  inputs: InputStatistics,
  damping: number,
  order: Uint32Array | undefined,
  subject: string,
  { algebra, signal }: TechniqueContext,
): Promise<FactoredGram> {
  for (let tried = damping; tried <= MOST_DAMPING; tried = Math.max(tried, 1e-4) * DAMPING_STEP) {
    const gram = dampGram(inputs, tried);
    const factored = await factor(algebra, gram.matrix, order, signal, gram.dampedDiagonal);
    if (factored !== undefined) return { gram, order, factor: factored };
  }
  throw new TechniqueError(subject, 'its Gram matrix is not positive semidefinite.');
}
