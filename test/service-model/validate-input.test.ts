import { describe, expect, it } from 'vitest';
import { ServiceError } from '#burnish/service-model/errors.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';
import { type JsonValue, readValue } from '#burnish/service-model/read-value.js';
import { validateInput } from '#burnish/service-model/validate-input.js';
import { createRequest } from '../support/create-request.js';

const shape = OPERATIONS.CreateOptimizationJob.input;

function errorOf(json: JsonValue): ServiceError {
  try {
    validateInput(shape, readValue(shape, json));
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('the input was accepted');
}

describe('validateInput', () => {
  it('accepts a complete request', () => {
    expect(() => validateInput(shape, readValue(shape, createRequest()))).not.toThrow();
  });

  it('counts all failed constraints in one message, in AWS’s wording', () => {
    const { RoleArn: _, ...rest } = createRequest({ OptimizationJobName: 'a_b' });
    const error = errorOf(rest);
    expect(error.code).toBe('ValidationException');
    expect(error.message).toBe(
      "2 validation errors detected: Value 'a_b' at 'optimizationJobName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    );
  });

  it.each<[string, Record<string, JsonValue>, string]>([
    [
      'a length above the limit',
      { OutputConfig: { S3OutputLocation: 's3://b/o', KmsKeyId: 'k'.repeat(2049) } },
      "at 'outputConfig.kmsKeyId' failed to satisfy constraint: Member must have length less than or equal to 2048",
    ],
    [
      'a value below the limit',
      { MaxInstanceCount: 0 },
      "Value '0' at 'maxInstanceCount' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      'a value above the limit',
      { StoppingCondition: { MaxPendingTimeInSeconds: 2419201 } },
      "Value '2419201' at 'stoppingCondition.maxPendingTimeInSeconds' failed to satisfy constraint: Member must have value less than or equal to 2419200",
    ],
    [
      'a member of a list, counted from 1',
      { Tags: [{ Key: 'a', Value: 'b' }, { Value: 'b' }] },
      "Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a null element of a list',
      { Tags: [null] },
      "Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a map value',
      { OptimizationEnvironment: { OPTION_QUANTIZE: 'x'.repeat(257) } },
      "at 'optimizationEnvironment' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0]",
    ],
    [
      'a map key',
      { OptimizationEnvironment: { ' ': 'fp8' } },
      "Value '{ =fp8}' at 'optimizationEnvironment' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: (?!\\s*$).+]",
    ],
    [
      'a list that is too long, printed in Java’s manner',
      { VpcConfig: { SecurityGroupIds: ['a', 'b', 'c', 'd', 'e', 'f'], Subnets: ['s'] } },
      "Value '[a, b, c, d, e, f]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must have length less than or equal to 5",
    ],
    [
      'a member of a union',
      { OptimizationConfigs: [{ ModelQuantizationConfig: { Image: 'with space' } }] },
      "Value 'with space' at 'optimizationConfigs.1.member.modelQuantizationConfig.image' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\S]+",
    ],
    [
      'a pattern that would match only a part',
      { RoleArn: 'see arn:aws:iam::000000000000:role/r' },
      'failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws',
    ],
  ])('names %s', (_, change, expected) => {
    expect(errorOf(createRequest(change)).message).toContain(expected);
  });

  it('names the whole value set of an enum', () => {
    const { message } = errorOf(createRequest({ DeploymentInstanceType: 'ml.g5.nano' }));
    expect(message).toContain(
      "Value 'ml.g5.nano' at 'deploymentInstanceType' failed to satisfy constraint: Member must satisfy enum value set: [ml.p4d.24xlarge, ",
    );
    expect(message.split(',')).toHaveLength(49);
  });

  it('refuses a union with two members, and one with none', () => {
    const two = { ModelQuantizationConfig: {}, ModelCompilationConfig: {} };
    const error = errorOf(createRequest({ OptimizationConfigs: [two] }));
    expect(error.code).toBe('ValidationException');
    expect(error.message).toContain('ModelQuantizationConfig and ModelCompilationConfig are set');
    expect(errorOf(createRequest({ OptimizationConfigs: [{}] })).message).toContain('none is set');
  });

  it('shortens a giant value in its message', () => {
    const { message } = errorOf(createRequest({ OptimizationJobName: 'x'.repeat(500_000) }));
    expect(message.length).toBeLessThan(10_000);
  });
});

describe('readValue', () => {
  it.each<[string, Record<string, JsonValue>, string]>([
    ['a number for a string', { RoleArn: 1 }, 'NUMBER_VALUE cannot be converted to String'],
    ['a fraction for a string', { RoleArn: 1.5 }, 'DECIMAL_VALUE cannot be converted to String'],
    ['true for a string', { RoleArn: true }, 'TRUE_VALUE cannot be converted to String'],
    [
      'a string for an integer',
      { MaxInstanceCount: '1' },
      'STRING_VALUE cannot be converted to Integer',
    ],
    [
      'a fraction for an integer',
      { MaxInstanceCount: 1.5 },
      'DECIMAL_VALUE cannot be converted to Integer',
    ],
    [
      'an integer beyond 32 bits',
      { MaxInstanceCount: 2 ** 31 },
      'NUMBER_VALUE cannot be converted to Integer',
    ],
    [
      'a structure for a string',
      { RoleArn: {} },
      'Start of structure or map found where not expected',
    ],
    ['a structure for a list', { Tags: {} }, 'Start of structure or map found where not expected'],
    ['a list for a structure', { OutputConfig: [] }, 'Start of list found where not expected'],
    ['a list in a list', { Tags: [[]] }, 'Unexpected list element'],
    [
      'a string for a boolean',
      { ModelSource: { S3: { S3Uri: 's3://b/m', ModelAccessConfig: { AcceptEula: 'yes' } } } },
      'STRING_VALUE cannot be converted to Boolean',
    ],
  ])('refuses %s', (_, change, message) => {
    const error = errorOf(createRequest(change));
    expect(error.code).toBe('SerializationException');
    expect(error.message).toBe(message);
  });

  it('ignores members that the shape does not know, and nulls', () => {
    const value = readValue(shape, { ...createRequest(), Unknown: [1], Tags: null });
    expect(value).not.toHaveProperty('Unknown');
    expect(value).not.toHaveProperty('Tags');
  });

  it('keeps hostile map keys as plain keys', () => {
    const json = JSON.parse(
      JSON.stringify(createRequest()).replace('"OPTION_QUANTIZE"', '"__proto__"'),
    ) as JsonValue;
    const value = readValue(shape, json);
    expect(Object.keys(value.OptimizationEnvironment ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).fp8).toBeUndefined();
  });

  it('reads timestamps in seconds, with a fraction', () => {
    const listInput = OPERATIONS.ListOptimizationJobs.input;
    expect(readValue(listInput, { CreationTimeAfter: 1.5 })).toEqual({ CreationTimeAfter: 1500 });
    expect(() => readValue(listInput, { CreationTimeAfter: '2026-01-01' })).toThrow(
      'STRING_VALUE cannot be converted to milliseconds since epoch',
    );
  });
});
