import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container, ContainerInspectInfo } from 'dockerode';
import type { RunningStep, StepExit, StepPlace } from '../executor.js';
import { hostIdentity } from '../local-process/host-identity.js';
import { appendContainerLog } from './container-log.js';
import { statusOf } from './engine.js';

/** How long an engine that does not answer is asked again, and how often, in milliseconds. */
const ENGINE_PATIENCE_MS = 300_000;
const RETRY_MS = 1_000;

/** No such container, and a container that does not run. */
const NOT_FOUND = 404;
const NOT_RUNNING = 409;

/**
 * Follows a container to its end: its output goes to the log, its exit status is noted in the step's
 * folder, and then it is removed. An engine that is restarted meanwhile is waited for.
 */
export async function followContainer(
  container: Container,
  place: StepPlace,
): Promise<RunningStep> {
  const host = await hostIdentity();
  const left = new AbortController();
  let ended = false;
  const exit = follow(container, place, left.signal).finally(() => {
    ended = true;
  });
  return {
    handle: { container: container.id },
    host,
    exit,
    signal(signal) {
      void sendSignal(container, signal, () => ended || left.signal.aborted);
    },
    leave() {
      left.abort();
    },
  };
}

async function follow(
  container: Container,
  place: StepPlace,
  left: AbortSignal,
): Promise<StepExit> {
  try {
    const exit = await patiently(left, async () => {
      await appendContainerLog(container, place.logFile, left);
      await container.wait({ abortSignal: left });
      return exitOf(await container.inspect());
    });
    await writeFile(place.folders.exitFile, String(exit.code));
    await container.remove({ force: true, v: true }).catch(() => undefined);
    return exit;
  } catch (error) {
    // Nobody waits for a step that was left.
    if (left.aborted) return new Promise<never>(() => undefined);
    const reason =
      statusOf(error) === NOT_FOUND
        ? 'The step’s container was removed by somebody else.'
        : `The container engine does not answer any more: ${(error as Error).message}.`;
    return { code: undefined, signal: undefined, reason };
  }
}

/** Asks again while the engine does not answer; what it does answer is taken at its word. */
async function patiently<T>(left: AbortSignal, ask: () => Promise<T>): Promise<T> {
  let failingSince: number | undefined;
  for (;;) {
    const asked = Date.now();
    try {
      return await ask();
    } catch (error) {
      left.throwIfAborted();
      if (statusOf(error) === NOT_FOUND) throw error;
      // A stream that broke after a while is no sign that the engine was away all that time.
      if (failingSince === undefined || Date.now() - asked > RETRY_MS) failingSince = Date.now();
      if (Date.now() - failingSince > ENGINE_PATIENCE_MS) throw error;
      await delay(RETRY_MS, undefined, { signal: left });
    }
  }
}

function exitOf({ State: state, HostConfig: host }: ContainerInspectInfo): StepExit {
  const exit = { code: state.ExitCode, signal: undefined };
  if (state.OOMKilled) {
    return {
      ...exit,
      reason: `The step’s container was killed because it used more memory than it may: ${((host.Memory ?? 0) / 1e9).toFixed(3)} GB, the least of what executor.docker.memoryBytes allows and what its image’s instance type has, or the built-in optimizer’s estimate with a margin.`,
    };
  }
  return state.Error === ''
    ? exit
    : { ...exit, reason: `The container engine says: ${state.Error}.` };
}

async function sendSignal(
  container: Container,
  signal: NodeJS.Signals,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    try {
      await container.kill({ signal });
      return;
    } catch (error) {
      const status = statusOf(error);
      if (status === NOT_FOUND || status === NOT_RUNNING) return;
      await delay(RETRY_MS);
    }
  }
}
