import { join } from 'node:path';
import { readTextFile } from '../checkpoint/json.js';
import { runCompilation } from './compilation/run.js';
import { ContractError, type StepContract, type StepTechnique } from './contract.js';
import { runQuantization } from './quantization/run.js';
import type { OptimizationReport } from './report/types.js';
import { optionName } from './settings/given-values.js';
import {
  MAX_PROPERTIES_BYTES,
  OPTION_PREFIX,
  PROPERTIES_FILE,
  parseProperties,
} from './settings/properties.js';
import { runSharding } from './sharding/run.js';
import type { StepObserver, StepRun } from './step-frame.js';

/** Load format of the containers that asks for a sharded model. */
const SHARDED = 'sagemaker_fast_model_loader';

const PROGRAMS: Partial<Record<StepTechnique, (run: StepRun) => Promise<OptimizationReport>>> = {
  quantization: runQuantization,
  compilation: runCompilation,
  sharding: runSharding,
};

/** Carries out one step.
 * @throws ContractError for a technique that is not built, and whatever the technique throws. */
export async function runStep(contract: StepContract, observer: StepObserver): Promise<void> {
  const technique = contract.technique ?? (await pickTechnique(contract));
  const execute = PROGRAMS[technique];
  if (execute === undefined) {
    throw new ContractError(
      `${technique} is not built yet; what works is ${Object.keys(PROGRAMS).join(', ')}`,
    );
  }
  await execute({ ...contract, ...observer });
}

/** Inside a container nobody names the technique; the settings tell it. Here, and only here, the
 * model's file wins over the environment. */
async function pickTechnique(contract: StepContract): Promise<StepTechnique> {
  const properties = await readTextFile(
    join(contract.inputFolder, PROPERTIES_FILE),
    MAX_PROPERTIES_BYTES,
  ).then(parseProperties, (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return new Map<string, string>();
    throw error;
  });
  const loadFormat =
    properties.get(`${OPTION_PREFIX}load_format`) ??
    contract.environment[optionName('load_format')];
  return loadFormat === SHARDED ? 'sharding' : 'quantization';
}
