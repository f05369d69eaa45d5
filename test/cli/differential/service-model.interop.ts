/** Our model of the API against AWS's own: the same members in the same order, and the same rules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OPERATIONS, type Operation } from '#burnish/service-model/operations.js';
import type { Shape } from '#burnish/service-model/shape.js';
import { findAwsCli } from './programs.js';

const found = findAwsCli();
if (typeof found === 'string') console.warn(`SKIPPED: the comparison of API models: ${found}`);

interface AwsShape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly union?: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
}

interface AwsModel {
  readonly operations: Readonly<
    Record<
      string,
      { readonly input: { readonly shape: string }; readonly output?: { readonly shape: string } }
    >
  >;
  readonly shapes: Readonly<Record<string, AwsShape>>;
}

/** Members whose lower bound AWS has lowered since our model was written. */
const LOWERED_BY_AWS: ReadonlySet<string> = new Set(['MaxPendingTimeInSeconds']);

/** What both models can say about a shape; enums are compared apart, as AWS goes on adding values. */
type Outline = Readonly<Record<string, unknown>>;

function outlineOfAws(model: AwsModel, name: string, memberName = ''): Outline {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`no shape ${name}`);
  const of = (reference: { readonly shape: string } | undefined, member?: string) =>
    reference && outlineOfAws(model, reference.shape, member);
  const members = Object.entries(shape.members ?? {}).map(([member, reference]) => [
    member,
    shape.required?.includes(member) ?? false,
    of(reference, member),
  ]);
  const isText = shape.type === 'string' && shape.enum === undefined;
  return {
    type: shape.enum ? 'enum' : shape.union ? 'union' : shape.type,
    members,
    element: of(shape.member),
    key: of(shape.key),
    value: of(shape.value),
    min: (!LOWERED_BY_AWS.has(memberName) && shape.min) || undefined,
    max: shape.max,
    pattern: isText ? shape.pattern : undefined,
  };
}

function outlineOfOurs(shape: Shape, memberName = ''): Outline {
  const hasMembers = shape.type === 'structure' || shape.type === 'union';
  const members = Object.entries(hasMembers ? shape.members : {}).map(([name, member]) => [
    name,
    member.required,
    outlineOfOurs(member.shape, name),
  ]);
  return {
    type: shape.type,
    members,
    element: shape.type === 'list' ? outlineOfOurs(shape.element) : undefined,
    key: shape.type === 'map' ? outlineOfOurs(shape.key) : undefined,
    value: shape.type === 'map' ? outlineOfOurs(shape.value) : undefined,
    min: (!LOWERED_BY_AWS.has(memberName) && lowerBound(shape)) || undefined,
    max: 'max' in shape ? shape.max : 'maxLength' in shape ? shape.maxLength : undefined,
    pattern: shape.type === 'string' ? shape.pattern : undefined,
  };
}

function lowerBound(shape: Shape): number | undefined {
  if ('min' in shape) return shape.min;
  return 'minLength' in shape ? shape.minLength : undefined;
}

/** Every enum of ours with the values that AWS does not have, or has in another order. */
function* foreignValues(model: AwsModel, shape: Shape, name: string): Generator<string> {
  const theirs = model.shapes[name];
  if (shape.type === 'enum') {
    const common = theirs?.enum?.filter((value) => shape.values.includes(value));
    if (common?.join() !== shape.values.join()) yield `${name}: ${shape.values.join()}`;
  } else if (shape.type === 'list') {
    yield* foreignValues(model, shape.element, theirs?.member?.shape ?? '');
  } else if (shape.type === 'structure' || shape.type === 'union') {
    for (const [member, { shape: memberShape }] of Object.entries(shape.members)) {
      yield* foreignValues(model, memberShape, theirs?.members?.[member]?.shape ?? '');
    }
  }
}

describe.skipIf(typeof found === 'string')('the model of the API', () => {
  it.each(Object.entries(OPERATIONS) as [string, Operation][])('agrees on %s', (name, ours) => {
    const { dataPath } = found as { readonly dataPath: string };
    const file = join(dataPath, 'sagemaker', '2017-07-24', 'service-2.json');
    const model: AwsModel = JSON.parse(readFileSync(file, 'utf8'));
    const theirs = model.operations[name];
    expect(outlineOfOurs(ours.input)).toEqual(outlineOfAws(model, theirs?.input.shape ?? ''));
    expect([...foreignValues(model, ours.input, theirs?.input.shape ?? '')]).toEqual([]);
    expect(ours.output === undefined).toBe(theirs?.output === undefined);
    if (ours.output !== undefined) {
      expect(outlineOfOurs(ours.output)).toEqual(outlineOfAws(model, theirs?.output?.shape ?? ''));
      expect([...foreignValues(model, ours.output, theirs?.output?.shape ?? '')]).toEqual([]);
    }
  });
});
