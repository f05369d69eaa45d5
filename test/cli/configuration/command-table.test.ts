import { describe, expect, it } from 'vitest';
import { cliName } from '#burnish/cli/configuration/cli-name.js';
import { COMMANDS, findCommand } from '#burnish/cli/configuration/command-table.js';
import { GLOBAL_OPTIONS } from '#burnish/cli/configuration/global-options.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';

describe('the table of commands', () => {
  it('has a command for every operation, and an option for every member', () => {
    for (const [name, operation] of Object.entries(OPERATIONS)) {
      const command = findCommand(cliName(name));
      expect(command?.operation).toBe(name);
      const members = command?.options.flatMap(({ value }) =>
        value.kind === 'member' ? [value.member] : [],
      );
      expect(members).toEqual(Object.keys(operation.input.members));
    }
  });

  it('has no option twice, nor one that is also global', () => {
    const globals = GLOBAL_OPTIONS.map(({ flag }) => flag);
    for (const { options } of COMMANDS) {
      const flags = [...options.map(({ flag }) => flag), ...globals];
      expect(new Set(flags).size).toBe(flags.length);
    }
  });

  it.each([
    ['OptimizationJobName', 'optimization-job-name'],
    ['S3Uri', 's3-uri'],
    ['TrainingPlanArns', 'training-plan-arns'],
    ['VpcConfig', 'vpc-config'],
    ['KMSKeyId', 'kms-key-id'],
  ])('spells %s as %s', (name, expected) => expect(cliName(name)).toBe(expected));
});
