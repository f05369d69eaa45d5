import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { isJsonObject, type JsonValue, parseJson } from '../checkpoint/json.js';
import { ENVIRONMENT_PREFIX } from './settings/given.js';

/** The step cannot be read from the environment. */
export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/** What a step can be. */
const STEP_TECHNIQUES = [
  'quantization',
  'compilation',
  'sharding',
  'speculative-decoding',
] as const;
export type StepTechnique = (typeof STEP_TECHNIQUES)[number];

/** What whoever started the program wants of it. */
export interface StepContract {
  readonly inputFolder: string;
  readonly outputFolder: string;
  /** Undefined where the source model's properties decide, as they do inside a container. */
  readonly technique: StepTechnique | undefined;
  /** The caller's settings. */
  readonly environment: Readonly<Record<string, string>>;
  /** Local files of the texts that settings name, by the name of the setting. */
  readonly datasets: Readonly<Record<string, string>>;
  /** Where what does not fit into memory goes for a while; the system's place if undefined. */
  readonly scratchFolder: string | undefined;
  /** Where finished layers outlive the step, and where those that it is to go on from are. */
  readonly resumeFolder?: string | undefined;
  /** Bytes of memory that the step may take; what the machine has, if undefined. */
  readonly memoryBytes?: number | undefined;
  readonly progressFile: string | undefined;
  /** What the result is to be served on; undefined where nobody said. */
  readonly deployment?: DeploymentInstance | undefined;
}

/** The accelerators that the result will be served on. */
export interface DeploymentInstance {
  readonly instanceType: string;
  /** Name of the accelerator. */
  readonly accelerator: string;
  readonly count: number;
  /** Gigabytes (10⁹ bytes) of one accelerator. */
  readonly memoryGb: number;
}

/** A job's settings are at most a few kilobytes by the API's limits. */
const MAX_STEP_FILE_BYTES = 1024 * 1024;

/** Reads the contract under which SageMaker starts an LMI container: folders from `SM_NEO_…` variables,
 * settings from `OPTION_…` ones. Outside a container the settings come in the file that
 * `BURNISH_STEP_FILE` names instead, as data: as variables of a process they could change how it runs.
 * @throws ContractError naming the variable or the file's member. */
export async function readContract(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<StepContract> {
  const required = (name: string): string => {
    const value = variables[name];
    if (value === undefined || value === '') throw new ContractError(`${name} is not set`);
    return value;
  };
  const folders = {
    inputFolder: required('SM_NEO_INPUT_MODEL_DIR'),
    outputFolder: required('SM_NEO_COMPILED_MODEL_DIR'),
    progressFile: variables.BURNISH_PROGRESS_FILE || undefined,
    scratchFolder: variables.SM_NEO_CACHE_DIR || undefined,
    resumeFolder: variables.BURNISH_RESUME_DIR || undefined,
    memoryBytes: readBytes('BURNISH_MEMORY_BYTES', variables.BURNISH_MEMORY_BYTES),
  };
  const stepFile = variables.BURNISH_STEP_FILE;
  if (stepFile !== undefined && stepFile !== '') {
    return { ...folders, ...(await readStepFile(stepFile)) };
  }
  const environment = Object.fromEntries(
    Object.entries(variables).filter(
      (entry): entry is [string, string] =>
        entry[0].startsWith(ENVIRONMENT_PREFIX) && entry[1] !== undefined,
    ),
  );
  return { ...folders, technique: undefined, environment, datasets: {} };
}

function readBytes(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const bytes = Number(text);
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new ContractError(`${name} must be a whole number of bytes, not ${JSON.stringify(text)}`);
  }
  return bytes;
}

async function readStepFile(
  path: string,
): Promise<Pick<StepContract, 'technique' | 'environment' | 'datasets' | 'deployment'>> {
  const { size } = await stat(path);
  if (size > MAX_STEP_FILE_BYTES) throw new ContractError(`${path} is larger than a step can be`);
  const step = parseJson(await readFile(path, 'utf8'), { what: basename(path), uniqueKeys: true });
  if (!isJsonObject(step)) throw new ContractError(`${path} is not an object`);
  const technique = STEP_TECHNIQUES.find((name) => name === step.technique);
  if (technique === undefined) {
    throw new ContractError(`technique in ${path} must be one of ${STEP_TECHNIQUES.join(', ')}`);
  }
  return {
    technique,
    environment: stringMap(step.environment, 'environment', path),
    datasets: step.datasets === undefined ? {} : stringMap(step.datasets, 'datasets', path),
    deployment: readDeployment(step.deployment, path),
  };
}

function readDeployment(
  value: JsonValue | undefined,
  path: string,
): DeploymentInstance | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new ContractError(`deployment in ${path} must be an object`);
  const { instanceType, accelerator, count, memoryGb } = value;
  if (typeof instanceType !== 'string' || typeof accelerator !== 'string') {
    throw new ContractError(
      `deployment.instanceType and deployment.accelerator in ${path} must be strings`,
    );
  }
  if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 1) {
    throw new ContractError(`deployment.count in ${path} must be a whole number of 1 or more`);
  }
  if (typeof memoryGb !== 'number' || !(memoryGb > 0)) {
    throw new ContractError(`deployment.memoryGb in ${path} must be a number above 0`);
  }
  return { instanceType, accelerator, count, memoryGb };
}

function stringMap(
  value: JsonValue | undefined,
  member: string,
  path: string,
): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) throw new ContractError(`${member} in ${path} must be an object`);
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      if (typeof text !== 'string') {
        throw new ContractError(`${member}.${name} in ${path} must be a string`);
      }
      return [name, text];
    }),
  );
}
