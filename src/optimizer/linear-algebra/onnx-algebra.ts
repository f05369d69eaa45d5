import { threadCount } from '../../kernels/index.js';
import { GraphBuilder } from '../forward/onnx/graph-builder.js';
import { InferenceSession, Tensor } from '../onnx-runtime/onnx-runtime.js';
import type { LinearAlgebra, Matrix, MultiplyOptions } from './linear-algebra.js';

/** Products through ONNX Runtime's CPU kernels, on as many threads as the process was given, or as the
 * machine runs at once, unless set. */
export function createLinearAlgebra(threads: number = threadCount()): LinearAlgebra {
  return new OnnxAlgebra(threads);
}

/**
 * ONNX Runtime gives each thread a part of the columns of a wide product, or of the rows of a tall one,
 * and how it blocks the sums depends on how wide a part is, up to some 64 columns. So that the number
 * of threads cannot change a bit of the result, no thread gets less than this.
 */
const LEAST_COLUMNS = 96;
const LEAST_ROWS = 16;
/** Multiplications that a thread does in less than it takes to wake it, and to wait for it. */
const LEAST_WORK = 2 ** 24;

class OnnxAlgebra implements LinearAlgebra {
  readonly #threads: number;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  async multiply(a: Matrix, b: Matrix, options: MultiplyOptions = {}): Promise<Matrix> {
    const { transposeA = false, transposeB = false, change = 'replace' } = options;
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
    if (values.length > 0) {
      const session = await this.#session(
        { transposeA, transposeB, change },
        this.#useful(rows, inner, columns),
      );
      const y = tensor({ rows, columns, values });
      const before = change === 'replace' ? {} : { c: y };
      await session.run({ a: tensor(a), b: tensor(b), ...before }, { y });
    }
    return { rows, columns, values };
  }

  async close(): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values());
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.release()));
  }

  /** Threads for a product of this size: all, or the largest power of two that leaves each enough. */
  #useful(rows: number, inner: number, columns: number): number {
    const cuts = columns > rows ? columns / LEAST_COLUMNS : rows / LEAST_ROWS;
    const most = Math.min(cuts, (rows * inner * columns) / LEAST_WORK);
    if (most >= this.#threads) return this.#threads;
    return most < 2 ? 1 : 2 ** Math.floor(Math.log2(most));
  }

  #session(kind: GemmKind, threads: number): Promise<InferenceSession> {
    const { transposeA, transposeB, change } = kind;
    const key = `${transposeA} ${transposeB} ${change} ${threads}`;
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = InferenceSession.create(gemmModel(kind), {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        enableCpuMemArena: false,
        enableMemPattern: false,
        // Threads that wait in a loop would take the processor from what runs between products.
        extra: { session: { intra_op: { allow_spinning: '0' } } },
      });
      this.#sessions.set(key, session);
    }
    return session;
  }
}

function tensor({ rows, columns, values }: Matrix): Tensor {
  return new Tensor('float32', values, [rows, columns]);
}

interface GemmKind {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly change: 'replace' | 'add' | 'subtract';
}

/** The ONNX model of `y = A·B`, either factor transposed if wanted, of `y = A·B + c`, or of `y = c − A·B`,
 * for matrices of every size. */
function gemmModel({ transposeA, transposeB, change }: GemmKind): Uint8Array {
  const graph = new GraphBuilder();
  const a = graph.input('a', ['a_rows', 'a_columns']);
  const b = graph.input('b', ['b_rows', 'b_columns']);
  const c = change === 'replace' ? [] : [graph.input('c', ['y_rows', 'y_columns'])];
  const factors = change === 'add' ? [a, b, ...c] : [a, b];
  const sum = graph.op('Gemm', factors, { transA: Number(transposeA), transB: Number(transposeB) });
  const y = change === 'subtract' ? graph.op('Sub', [...c, sum]) : sum;
  graph.output('y', y, ['y_rows', 'y_columns']);
  return graph.build('gemm');
}
