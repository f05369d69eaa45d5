import { threadCount } from '../../../kernels/index.js';
import * as ort from '../../onnx-runtime/onnx-runtime.js';

/** Where graphs run. */
export const EXECUTION_PROVIDERS = ['cpu', 'webgpu', 'cuda'] as const;
export type ExecutionProvider = (typeof EXECUTION_PROVIDERS)[number];

/** The execution provider that was asked for cannot be used here. */
export class ExecutionProviderError extends Error {
  override readonly name = 'ExecutionProviderError';
}

/** Numbers and their shape. */
export interface Numbers {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

export type Feed =
  | Numbers
  | { readonly integers: BigInt64Array; readonly shape: readonly number[] };

/** A graph that is ready to run. */
export interface Session {
  /** Runs the graph.
   * @param feeds may hold more than the graph takes.
   * @param into where outputs go that should not be allocated anew; of exactly their size.
   * @param wanted outputs that come back; all of `into` if left out. */
  run(
    feeds: Readonly<Record<string, Feed>>,
    into: Readonly<Record<string, Numbers>>,
    wanted?: readonly string[],
  ): Promise<Readonly<Record<string, Float32Array>>>;
}

/** Makes sessions and keeps them: one serves every block whose graph is the same. */
export class Sessions {
  readonly #provider: ExecutionProvider;
  readonly #threads: number;
  readonly #sessions = new Map<string, Promise<OrtSession>>();

  /** @param threads of the processor; as many as the process was given, or as the machine runs at once,
   * unless set.
   * @throws ExecutionProviderError if this installation has no such provider. */
  constructor(provider: ExecutionProvider = 'cpu', threads: number = threadCount()) {
    const known = ort.listSupportedBackends().map(({ name }) => name);
    if (!known.includes(provider)) {
      throw new ExecutionProviderError(
        `the execution provider ${provider} is not part of ONNX Runtime here; it has ${known.join(', ')}`,
      );
    }
    this.#provider = provider;
    this.#threads = threads;
  }

  /** The session of the graph that `build` makes of `spec`; equal specs share one. */
  session<Spec extends { readonly kind: string }>(
    spec: Spec,
    build: (spec: Spec) => Uint8Array,
  ): Promise<Session> {
    const key = JSON.stringify(spec);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const created = this.#create(build(spec));
    this.#sessions.set(key, created);
    return created;
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#sessions.values());
    this.#sessions.clear();
    for (const session of open) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  async #create(model: Uint8Array): Promise<OrtSession> {
    try {
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [this.#provider],
        intraOpNumThreads: this.#threads,
        interOpNumThreads: 1,
        // The arena and the pattern keep the memory of the largest run for ever.
        enableCpuMemArena: false,
        enableMemPattern: false,
        logSeverityLevel: 3,
        // Operators of a graph follow each other closely: waking a thread for each takes longer than it
        // waits. Between runs it would take the processor from whatever else runs here.
        extra: { session: { intra_op: { allow_spinning: '1' }, force_spinning_stop: '1' } },
      });
      return new OrtSession(session);
    } catch (error) {
      if (this.#provider === 'cpu') throw error;
      throw new ExecutionProviderError(
        `the execution provider ${this.#provider} cannot be used on this machine: ${(error as Error).message}`,
      );
    }
  }
}

class OrtSession implements Session {
  readonly #session: ort.InferenceSession;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
  }

  async run(
    feeds: Readonly<Record<string, Feed>>,
    into: Readonly<Record<string, Numbers>>,
    wanted: readonly string[] = Object.keys(into),
  ): Promise<Readonly<Record<string, Float32Array>>> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const name of this.#session.inputNames) {
      const feed = feeds[name];
      if (feed === undefined) throw new Error(`the graph’s input ${name} is missing`);
      inputs[name] = toTensor(feed);
    }
    const outputs: Record<string, ort.Tensor | null> = {};
    for (const name of wanted) {
      const target = into[name];
      outputs[name] = target === undefined ? null : toTensor(target);
    }
    const results = await this.#session.run(inputs, outputs);
    return Object.fromEntries(wanted.map((name) => [name, results[name]?.data as Float32Array]));
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function toTensor(feed: Feed): ort.Tensor {
  return 'integers' in feed
    ? new ort.Tensor('int64', feed.integers, feed.shape)
    : new ort.Tensor('float32', feed.values, feed.shape);
}
