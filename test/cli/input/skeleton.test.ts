import { describe, expect, it } from 'vitest';
import { parseYaml } from '#burnish/cli/input/parse-yaml.js';
import { inputSkeleton, outputSkeleton } from '#burnish/cli/input/skeleton/generate-skeleton.js';
import { yamlInputSkeleton } from '#burnish/cli/input/skeleton/yaml-skeleton.js';
import { OPERATIONS, type Operation } from '#burnish/service-model/operations.js';

const operations: readonly [string, Operation][] = Object.entries(OPERATIONS);

describe('skeletons', () => {
  it('of an input have an empty value for every member', () => {
    expect(inputSkeleton(OPERATIONS.AddTags.input)).toEqual({
      ResourceArn: '',
      Tags: [{ Key: '', Value: '' }],
    });
    expect(inputSkeleton(OPERATIONS.CreateOptimizationJob.input)).toMatchObject({
      ModelSource: { S3: { ModelAccessConfig: { AcceptEula: true } } },
      DeploymentInstanceType: 'ml.p4d.24xlarge',
      MaxInstanceCount: 0,
      OptimizationEnvironment: { KeyName: '' },
      TrainingPlanArns: [''],
    });
  });

  it('of an output have the names of the members', () => {
    expect(outputSkeleton(OPERATIONS.DescribeOptimizationJob.output)).toMatchObject({
      OptimizationJobStatus: 'OptimizationJobStatus',
      CreationTime: '1970-01-01T00:00:00',
      OptimizationEnvironment: { KeyName: '' },
      VpcConfig: { SecurityGroupIds: ['SecurityGroupId'] },
    });
  });

  it.each(operations)('of %s are the same in YAML and JSON', (_name, { input }) => {
    const text = yamlInputSkeleton(input);
    const times = (value: string) => value.replace(/1970-01-01 00/g, '1970-01-01T00');
    expect(parseYaml(times(text))).toEqual(inputSkeleton(input));
  });

  it.each(operations)(
    'of %s in YAML say what is required and what may be chosen',
    (_name, { input }) => {
      const lines = yamlInputSkeleton(input).split('\n');
      for (const [name, { required, shape, documentation }] of Object.entries(input.members)) {
        const line = lines.find((candidate) => candidate.startsWith(`${name}:`)) ?? '';
        expect(line).toContain(`  # ${required ? '[REQUIRED] ' : ''}${documentation}`);
        if (shape.type === 'enum') expect(line).toContain(shape.values.join(', '));
      }
    },
  );
});
