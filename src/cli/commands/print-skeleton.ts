import { OPERATIONS, type Operation, type OperationName } from '../../service-model/operations.js';
import type { Settings } from '../configuration/settings.js';
import type { InputObject } from '../input/input-value.js';
import { inputSkeleton, outputSkeleton } from '../input/skeleton/generate-skeleton.js';
import { yamlInputSkeleton } from '../input/skeleton/yaml-skeleton.js';
import { validateParameters } from '../input/validate-parameters.js';
import { printValue } from '../output/print-output.js';
import { printDirectly } from './direct-output.js';

/**
 * Prints what `--generate-cli-skeleton` asks for; nothing is sent.
 *
 * @param kind `input`, `yaml-input`, or `output`, which validates the input first.
 * @throws UsageError where the input does not fit.
 */
export async function printSkeleton(
  kind: string,
  operationName: OperationName,
  input: InputObject,
  settings: Settings,
): Promise<void> {
  const operation: Operation = OPERATIONS[operationName];
  if (kind === 'input') {
    await printDirectly(`${JSON.stringify(inputSkeleton(operation.input), null, 4)}\n`);
  } else if (kind === 'yaml-input') {
    await printDirectly(yamlInputSkeleton(operation.input));
  } else {
    validateParameters(operation.input, input);
    const output = operation.output === undefined ? {} : outputSkeleton(operation.output);
    await printValue(operationName, output, settings);
  }
}
