import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Decimal } from '#burnish/cli/input/input-value.js';
import { parseParameter } from '#burnish/cli/input/parse-parameter.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const { members } = OPERATIONS.CreateOptimizationJob.input;
type MemberName = keyof typeof members;

const parse = (member: MemberName, given: string | readonly string[]) =>
  parseParameter('--it', members[member].shape, given);

let folder: string;
const file = (name: string) => `file://${join(folder, name)}`;

beforeAll(() => {
  folder = temporaryFolder('parameters');
  const write = (name: string, content: string | Uint8Array) =>
    writeFileSync(join(folder, name), content);
  write('name.txt', 'hello\r\nthere\n');
  write('source.json', '{"S3": {"S3Uri": "s3://a/b"}}');
  write('source.txt', 'S3={S3Uri=s3://a/b}');
  write('tags.json', '[{"Key": "a", "Value": "b"}]');
  write('tag.json', '{"Key": "a", "Value": "b"}');
  write('arns.json', '["x", "y"]');
  write('number.txt', '5\n');
  write('latin1.txt', Uint8Array.of(0xe9));
});

describe('the value of an option', () => {
  it.each<[MemberName, string | readonly string[], unknown]>([
    ['OptimizationJobName', 'n', 'n'],
    ['OptimizationJobName', '{"a": 1}', '{"a": 1}'],
    ['MaxInstanceCount', '3', 3],
    ['ModelSource', 'S3={S3Uri=s3://a/b}', { S3: { S3Uri: 's3://a/b' } }],
    ['ModelSource', ' {"S3": {}}', { S3: {} }],
    [
      'ModelSource',
      'S3={ModelAccessConfig={AcceptEula=TRUE}}',
      { S3: { ModelAccessConfig: { AcceptEula: true } } },
    ],
    [
      'ModelSource',
      'S3={ModelAccessConfig={AcceptEula=yes}}',
      { S3: { ModelAccessConfig: { AcceptEula: 'yes' } } },
    ],
    ['StoppingCondition', 'MaxRuntimeInSeconds=60', { MaxRuntimeInSeconds: 60 }],
    [
      'StoppingCondition',
      '{"MaxRuntimeInSeconds": 60.0}',
      { MaxRuntimeInSeconds: new Decimal('60.0') },
    ],
    ['OptimizationEnvironment', 'A=1,B=2', { A: '1', B: '2' }],
    ['OptimizationEnvironment', '{"A": "1", "A": "2"}', { A: '2' }],
    [
      'VpcConfig',
      'SecurityGroupIds=sg-1,Subnets=a,b',
      { SecurityGroupIds: ['sg-1'], Subnets: ['a', 'b'] },
    ],
    [
      'VpcConfig',
      'SecurityGroupIds=[sg-1],Subnets=[]',
      { SecurityGroupIds: ['sg-1'], Subnets: [] },
    ],
    [
      'Tags',
      ['Key=a,Value=b', 'Key=c,Value='],
      [
        { Key: 'a', Value: 'b' },
        { Key: 'c', Value: '' },
      ],
    ],
    ['Tags', ['{"Key": "a"}', '{"Key": "b"}'], [{ Key: 'a' }, { Key: 'b' }]],
    ['Tags', ['[{"Key": "a"}]'], [{ Key: 'a' }]],
    ['Tags', [], []],
    ['TrainingPlanArns', ['x', 'y'], ['x', 'y']],
    ['TrainingPlanArns', ['["x"]'], ['x']],
    ['TrainingPlanArns', [''], ['']],
    ['ModelSource', 'Unknown={a=b}', { Unknown: { a: 'b' } }],
  ])('%s of %j', (member, given, expected) => {
    expect(parse(member, given)).toEqual(expected);
  });

  it.each<[MemberName, string, unknown]>([
    ['OptimizationJobName', 'name.txt', 'hello\nthere\n'],
    ['ModelSource', 'source.json', { S3: { S3Uri: 's3://a/b' } }],
    ['ModelSource', 'source.txt', { S3: { S3Uri: 's3://a/b' } }],
    ['Tags', 'tags.json', [{ Key: 'a', Value: 'b' }]],
    ['TrainingPlanArns', 'arns.json', ['x', 'y']],
    ['MaxInstanceCount', 'number.txt', 5],
  ])('%s from the file %s', (member, name, expected) => {
    const isList = members[member].shape.type === 'list';
    expect(parse(member, isList ? [file(name)] : file(name))).toEqual(expected);
  });

  it('takes bytes for text only where validation will name them', () => {
    const given = file('name.txt').replace('file:', 'fileb:');
    expect(parse('OptimizationJobName', given)).toEqual(Buffer.from('hello\r\nthere\n'));
    expect(() => parse('ModelSource', given)).toThrow("parameter '--it': fileb:// reads bytes");
    expect(() => parse('TrainingPlanArns', [given])).toThrow('fileb:// reads bytes');
  });

  it('looks for a file only where it is the only value', () => {
    expect(parse('TrainingPlanArns', [file('arns.json'), 'z'])).toEqual([file('arns.json'), 'z']);
  });

  it('reads the file that a key ending in @ names', () => {
    expect(parse('OptimizationEnvironment', `A@=${file('name.txt')},B=${file('x')}`)).toEqual({
      A: 'hello\nthere\n',
      B: file('x'),
    });
  });

  it('finds a file below the home folder and through a variable', () => {
    process.env.BURNISH_TEST_FOLDER = folder;
    const home = process.env.HOME;
    process.env.HOME = folder;
    try {
      expect(parse('MaxInstanceCount', 'file://~/number.txt')).toBe(5);
      expect(parse('MaxInstanceCount', 'file://$BURNISH_TEST_FOLDER/number.txt')).toBe(5);
      expect(parse('MaxInstanceCount', `file://\${BURNISH_TEST_FOLDER}/number.txt`)).toBe(5);
    } finally {
      process.env.HOME = home;
      delete process.env.BURNISH_TEST_FOLDER;
    }
  });

  it.each<[MemberName, string | readonly string[], number, string]>([
    ['MaxInstanceCount', 'abc', 255, "invalid literal for int() with base 10: 'abc'"],
    [
      'StoppingCondition',
      'MaxRuntimeInSeconds=a',
      255,
      "invalid literal for int() with base 10: 'a'",
    ],
    ['StoppingCondition', 'MaxRuntimeInSeconds=[1]', 255, 'an integer is needed, not a list'],
    [
      'ModelSource',
      'S3={ModelAccessConfig={AcceptEula={}}}',
      255,
      'true or false is needed, not a structure',
    ],
    ['ModelSource', '{"S3": 1', 252, 'Invalid JSON: '],
    ['ModelSource', '{"S3": 1', 252, '\nJSON received: {"S3": 1'],
    ['ModelSource', '[1]', 252, 'Invalid JSON:\n[1]'],
    ['ModelSource', 's3://a', 252, "Expected: '=', received: 'EOF' for input:\ns3://a\n      ^"],
    ['Tags', ['{"Key": "a"}', 'Key=b'], 252, 'Invalid JSON:\nKey=b'],
    [
      'OptimizationJobName',
      'file:///nowhere',
      252,
      'Unable to load paramfile file:///nowhere: ENOENT',
    ],
  ])('refuses %s of %j with status %i', (member, given, exitStatus, text) => {
    let refusal: unknown;
    try {
      parse(member, given);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ exitStatus, message: expect.stringContaining(text) });
    expect(refusal).toMatchObject({
      message: expect.stringContaining("Error parsing parameter '--it': "),
    });
  });

  it('refuses a text file that is not UTF-8, and one element where a file holds a list', () => {
    expect(() => parse('OptimizationJobName', file('latin1.txt'))).toThrow(
      'text contents could not be decoded',
    );
    expect(() => parse('Tags', [file('tag.json')])).toThrow('a list is needed');
  });
});
