import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder } from '../forward/onnx/graph-builder.js';
import type { LinearAlgebra, Matrix, MultiplyOptions } from './linear-algebra.js';

/**
 * Products through ONNX Runtime's CPU kernels.
 *
 * ONNX Runtime's own threading changes the last bits with the number of threads: how a product is cut
 * decides how its sums are blocked. So every session has one thread, products are cut here, by their
 * sizes alone, and the pieces run side by side on the threads that Node.js keeps for asynchronous work.
 */
export async function createLinearAlgebra(
  threads: number = availableParallelism(),
): Promise<LinearAlgebra> {
  const flags = [false, true];
  const sessions = await Promise.all(
    flags.flatMap((transposeA) =>
      flags.map((transposeB) =>
        InferenceSession.create(gemmModel(transposeA, transposeB), {
          intraOpNumThreads: 1,
          interOpNumThreads: 1,
          executionMode: 'sequential',
          enableCpuMemArena: false,
          enableMemPattern: false,
        }),
      ),
    ),
  );
  return new OnnxAlgebra(sessions, threads);
}

/** Work of a piece, in multiplications: some ten milliseconds, beside which a call costs nothing. */
const PIECE_WORK = 2 ** 28;
/** Fewest rows of a piece: the other factor is read, and repacked, once for each. */
const PIECE_ROWS = 128;

class OnnxAlgebra implements LinearAlgebra {
  readonly threads: number;
  readonly #sessions: readonly InferenceSession[];
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(sessions: readonly InferenceSession[], threads: number) {
    this.#sessions = sessions;
    this.threads = threads;
    this.#free = threads;
  }

  async multiply(a: Matrix, b: Matrix, options: MultiplyOptions = {}): Promise<Matrix> {
    const { transposeA = false, transposeB = false } = options;
    const rows = transposeA ? a.columns : a.rows;
    const inner = transposeA ? a.rows : a.columns;
    const columns = transposeB ? b.rows : b.columns;
    if (inner !== (transposeB ? b.columns : b.rows)) {
      throw new RangeError(
        `matrices of [${a.rows}, ${a.columns}] and [${b.rows}, ${b.columns}] cannot be multiplied`,
      );
    }
    const values = options.into ?? new Float32Array(rows * columns);
    if (values.length !== rows * columns) {
      throw new RangeError(
        `a product of [${rows}, ${columns}] does not fit ${values.length} values`,
      );
    }
    const session = this.#sessions[Number(transposeA) * 2 + Number(transposeB)];
    if (session === undefined || values.length === 0) return { rows, columns, values };

    const right = tensor(b.values, b.rows, b.columns);
    // A transposed factor's rows do not lie together, so that product stays whole.
    const pieceRows = transposeA
      ? rows
      : Math.max(PIECE_ROWS, Math.ceil(PIECE_WORK / Math.max(1, inner * columns)));
    const pieces: Promise<void>[] = [];
    for (let first = 0; first < rows; first += pieceRows) {
      const end = Math.min(rows, first + pieceRows);
      const left = transposeA
        ? tensor(a.values, a.rows, a.columns)
        : tensor(a.values.subarray(first * inner, end * inner), end - first, inner);
      const product = values.subarray(first * columns, end * columns);
      pieces.push(
        this.#whenFree(async () => {
          const y = tensor(product, end - first, columns);
          await session.run({ a: left, b: right }, { y });
        }),
      );
    }
    await Promise.all(pieces);
    return { rows, columns, values };
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.release()));
  }

  async #whenFree(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

function tensor(values: Float32Array, rows: number, columns: number): Tensor {
  return new Tensor('float32', values, [rows, columns]);
}

/** The ONNX model of `y = A·B`, either factor transposed if wanted, for matrices of every size. */
function gemmModel(transposeA: boolean, transposeB: boolean): Uint8Array {
  const graph = new GraphBuilder();
  const a = graph.input('a', ['a_rows', 'a_columns']);
  const b = graph.input('b', ['b_rows', 'b_columns']);
  const y = graph.op('Gemm', [a, b], { transA: Number(transposeA), transB: Number(transposeB) });
  graph.output('y', y, ['y_rows', 'y_columns']);
  return graph.build('gemm');
}
