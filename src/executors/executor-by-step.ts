import type { Executor, RunningStep, StepDemand } from './executor.js';

/** A step's handle, with the name of the executor whose it is. */
interface NamedHandle {
  readonly executor: string;
  readonly handle: unknown;
}

/**
 * One executor out of several: each step runs in the one that is chosen for it, and is found there
 * again after a restart of the service, also when the choice has changed meanwhile.
 *
 * @param executors all there are, by name
 * @param choose the name of the executor for a step
 */
export function createExecutorByStep(
  executors: Readonly<Record<string, Executor>>,
  choose: (step: Pick<StepDemand, 'image'>) => string,
): Executor {
  const named = (name: string, step: RunningStep): RunningStep => ({
    ...step,
    handle: { executor: name, handle: step.handle } satisfies NamedHandle,
  });
  const chosen = (step: Pick<StepDemand, 'image'>) => {
    const name = choose(step);
    const executor = executors[name];
    if (executor === undefined) throw new Error(`there is no executor ${name}`);
    return { name, executor };
  };
  const { objects } = chosen({}).executor;
  return {
    ...(objects === undefined ? {} : { objects }),

    async refusal(demand) {
      return chosen(demand).executor.refusal(demand);
    },

    runsElsewhere(step) {
      return chosen(step).executor.runsElsewhere?.(step) ?? false;
    },

    async start(request, signal) {
      const { name, executor } = chosen(request);
      return named(name, await executor.start(request, signal));
    },

    async adopt(handle, place) {
      const { executor: name, handle: own } = handle as NamedHandle;
      const step = await executors[name]?.adopt(own, place);
      return step === undefined ? undefined : named(name, step);
    },

    async reap(place) {
      await Promise.all(Object.values(executors).map((executor) => executor.reap(place)));
    },
  };
}
