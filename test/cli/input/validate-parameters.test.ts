import { describe, expect, it } from 'vitest';
import { Decimal, type InputObject } from '#burnish/cli/input/input-value.js';
import { toRequest } from '#burnish/cli/input/to-request.js';
import { UsageError } from '#burnish/cli/output/errors.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';

const create = OPERATIONS.CreateOptimizationJob.input;

const VALID: InputObject = {
  OptimizationJobName: 'n',
  RoleArn: 'arn:aws:iam::123456789012:role/x',
  ModelSource: { S3: { S3Uri: 's3://a/b' } },
  DeploymentInstanceType: 'ml.g5.xlarge',
  OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
  OutputConfig: { S3OutputLocation: 's3://a/b' },
  StoppingCondition: { MaxRuntimeInSeconds: 60 },
};

const problems = (changes: InputObject): readonly string[] => {
  try {
    toRequest(create, { ...VALID, ...changes });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const [title, ...lines] = (error as UsageError).message.split('\n');
    expect(title).toBe('Parameter validation failed:');
    return lines;
  }
  return [];
};

describe('the request', () => {
  it('is the input where that is valid', () => {
    expect(toRequest(create, VALID)).toEqual(VALID);
  });

  it('leaves to the service what only it can say', () => {
    const changes = { DeploymentInstanceType: 'toaster', OptimizationJobName: 'x'.repeat(100) };
    expect(toRequest(create, { ...VALID, ...changes })).toMatchObject(changes);
  });

  it('has times in seconds since the epoch', () => {
    expect(
      toRequest(OPERATIONS.ListOptimizationJobs.input, {
        CreationTimeAfter: '1970-01-01T00:01:00.5Z',
        CreationTimeBefore: new Decimal('61.5'),
        LastModifiedTimeAfter: 62,
      }),
    ).toEqual({ CreationTimeAfter: 60, CreationTimeBefore: 61, LastModifiedTimeAfter: 62 });
  });

  it.each<[InputObject, string]>([
    [
      { OptimizationJobName: '' },
      'Invalid length for parameter OptimizationJobName, value: 0, valid min length: 1',
    ],
    [{ RoleArn: '😀' }, 'Invalid length for parameter RoleArn, value: 1, valid min length: 20'],
    [
      { MaxInstanceCount: 0 },
      'Invalid value for parameter MaxInstanceCount, value: 0, valid min value: 1',
    ],
    [
      { MaxInstanceCount: false },
      'Invalid value for parameter MaxInstanceCount, value: False, valid min value: 1',
    ],
    [
      { MaxInstanceCount: new Decimal('1.0') },
      "Invalid type for parameter MaxInstanceCount, value: 1.0, type: <class 'float'>, valid types: <class 'int'>",
    ],
    [
      { MaxInstanceCount: null },
      "Invalid type for parameter MaxInstanceCount, value: None, type: <class 'NoneType'>, valid types: <class 'int'>",
    ],
    [
      { OptimizationJobName: Buffer.from('a\n') },
      "Invalid type for parameter OptimizationJobName, value: b'a\\n', type: <class 'bytes'>, valid types: <class 'str'>",
    ],
    [
      { ModelSource: ['x', 1, { a: true }] },
      "Invalid type for parameter ModelSource, value: ['x', 1, {'a': True}], type: <class 'list'>, valid types: <class 'dict'>",
    ],
    [
      { Tags: { Key: 'a' } },
      "Invalid type for parameter Tags, value: {'Key': 'a'}, type: <class 'dict'>, valid types: <class 'list'>, <class 'tuple'>",
    ],
    [{ Tags: [{ Key: 'a' }] }, 'Missing required parameter in Tags[0]: "Value"'],
    [
      { Surprise: 1 },
      `Unknown parameter in input: "Surprise", must be one of: ${Object.keys(create.members).join(', ')}`,
    ],
    [
      { ModelSource: { toString: {} } },
      'Unknown parameter in ModelSource: "toString", must be one of: S3, SageMakerModel',
    ],
    [
      { OptimizationEnvironment: { A: 1 } },
      "Invalid type for parameter OptimizationEnvironment.A, value: 1, type: <class 'int'>, valid types: <class 'str'>",
    ],
    [
      { OptimizationConfigs: [{}] },
      'Must set one of the following keys for tagged union structure OptimizationConfigs[0]: ModelQuantizationConfig. ModelCompilationConfig. ModelShardingConfig. ModelSpeculativeDecodingConfig.',
    ],
    [
      { OptimizationConfigs: [{ ModelQuantizationConfig: {}, ModelShardingConfig: {} }] },
      'Invalid number of parameters set for tagged union structure OptimizationConfigs[0]. Can only set one of the following keys: ModelQuantizationConfig. ModelCompilationConfig. ModelShardingConfig. ModelSpeculativeDecodingConfig.',
    ],
  ])('is refused with %j', (changes, problem) => {
    expect(problems(changes)).toEqual([problem]);
  });

  it('is refused for everything at once', () => {
    expect(
      problems({ OptimizationJobName: 1, ModelSource: { S3: { S3Uri: 2, X: 3 } } }),
    ).toHaveLength(3);
    expect(() => toRequest(create, {})).toThrow(/(Missing required parameter in input: .*\n?){7}/);
  });

  it('is refused for a time that is none', () => {
    expect(() =>
      toRequest(OPERATIONS.ListOptimizationJobs.input, { CreationTimeAfter: 'soon' }),
    ).toThrow(
      "Invalid type for parameter CreationTimeAfter, value: soon, type: <class 'str'>, valid types: <class 'datetime.datetime'>, timestamp-string",
    );
  });
});
