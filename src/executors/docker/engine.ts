import Docker from 'dockerode';

/** An engine that does not answer in this time, in milliseconds, is taken for absent. */
const PING_MS = 2_000;

/** The engine behind a Unix socket; nothing is said to it yet. */
export function connectEngine(socket: string): Docker {
  return new Docker({ socketPath: socket });
}

/** Why an engine can't be used, or undefined when it answers. */
export async function engineTrouble(engine: Docker): Promise<string | undefined> {
  // The types leave out what the client takes.
  const ping = engine.ping.bind(engine) as (options: object) => Promise<unknown>;
  try {
    await ping({ abortSignal: AbortSignal.timeout(PING_MS) });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The HTTP status of an engine's error answer; undefined when it did not answer at all. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** What the engine's machine has. */
export interface EngineCapacity {
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Whether the engine can hold a container to some of the processors. */
  readonly limitsCpus: boolean;
  /** Whether the engine can hand GPUs to a container. */
  readonly hasGpus: boolean;
}

/** What the engine's machine has, as the engine tells it. @throws what the engine's API answers with */
export async function engineCapacity(engine: Docker): Promise<EngineCapacity> {
  const {
    Runtimes: runtimes = {},
    MemTotal: memoryBytes,
    NCPU: cpus,
    CpuCfsQuota: limitsCpus = true,
  } = (await engine.info()) as {
    readonly Runtimes?: Readonly<Record<string, unknown>>;
    readonly MemTotal: number;
    readonly NCPU: number;
    readonly CpuCfsQuota?: boolean;
  };
  return { memoryBytes, cpus, limitsCpus, hasGpus: 'nvidia' in runtimes };
}
