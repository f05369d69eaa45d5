import { fileURLToPath } from 'node:url';
import type { Executor } from '../executors/executor.js';
import { createExecutorByStep } from '../executors/executor-by-step.js';
import { createLocalProcessExecutor } from '../executors/local-process/local-process-executor.js';
import type { ServiceConfiguration } from './configuration.js';

const OPTIMIZER_PROGRAM = fileURLToPath(new URL('../optimizer/main.js', import.meta.url));

/** All executors that a service has, and by which of them it runs a step. */
export function createExecutors(_configuration: ServiceConfiguration): Executor {
  const process = createLocalProcessExecutor(OPTIMIZER_PROGRAM);
  return createExecutorByStep({ process }, () => 'process');
}
