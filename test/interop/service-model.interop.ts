import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { OPERATIONS, type Operation } from '#burnish/service-model/operations.js';
import type { Member, Shape } from '#burnish/service-model/shape.js';
import { INTEROP_PYTHON } from '../support/interop-python.js';

/** A shape as botocore's `service-2.json` writes it. */
interface ForeignShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly union?: boolean;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
}

interface ForeignModel {
  readonly operations: Readonly<
    Record<string, { readonly input: { shape: string }; readonly output?: { shape: string } }>
  >;
  readonly shapes: Readonly<Record<string, ForeignShape>>;
}

const READ_MODEL =
  'import botocore.loaders, json, sys; json.dump(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"), sys.stdout)';

async function readForeignModel(python: string): Promise<ForeignModel> {
  const { stdout } = await promisify(execFile)(python, ['-c', READ_MODEL], { maxBuffer: 1e8 });
  return JSON.parse(stdout) as ForeignModel;
}

/**
 * Where AWS's model has moved on since the version that ours was written from. Anything else that
 * differs fails the test.
 */
const MOVED_ON = {
  instanceTypes: /^ml\.g7\./,
  smallestPendingTime: { path: /\.MaxPendingTimeInSeconds$/, value: 1800 },
};

/** Walks both descriptions of one shape at once and lists where they differ. */
function differences(model: ForeignModel, name: string, ours: Shape, path: string): string[] {
  const theirs = model.shapes[name];
  if (theirs === undefined) return [`${path}: no shape ${name}`];
  const found: string[] = [];
  const compare = (what: string, mine: unknown, other: unknown) => {
    if (JSON.stringify(mine) !== JSON.stringify(other)) {
      found.push(`${path}: ${what} is ${JSON.stringify(mine)}, AWS has ${JSON.stringify(other)}`);
    }
  };
  // AWS writes a smallest length of 0 where it means none.
  const lengths = (shape: { readonly minLength?: number; readonly maxLength?: number }) => {
    compare('the smallest length', shape.minLength ?? 0, theirs.min ?? 0);
    compare('the largest length', shape.maxLength, theirs.max);
  };
  switch (ours.type) {
    case 'string':
      compare('the type', 'string', theirs.type);
      lengths(ours);
      compare('the pattern', ours.pattern, theirs.pattern);
      break;
    case 'enum':
      compare(
        'the values',
        [...ours.values].sort(),
        (theirs.enum ?? []).filter((value) => !MOVED_ON.instanceTypes.test(value)).sort(),
      );
      break;
    case 'integer':
      compare('the type', 'integer', theirs.type);
      if (
        !MOVED_ON.smallestPendingTime.path.test(path) ||
        theirs.min !== MOVED_ON.smallestPendingTime.value
      ) {
        compare('the smallest value', ours.min, theirs.min);
      }
      compare('the largest value', ours.max, theirs.max);
      break;
    case 'list':
      compare('the type', 'list', theirs.type);
      lengths(ours);
      found.push(...differences(model, theirs.member?.shape ?? '', ours.element, `${path}[]`));
      break;
    case 'map':
      compare('the type', 'map', theirs.type);
      lengths(ours);
      found.push(...differences(model, theirs.key?.shape ?? '', ours.key, `${path}.key`));
      found.push(...differences(model, theirs.value?.shape ?? '', ours.value, `${path}.value`));
      break;
    case 'structure':
    case 'union': {
      const members = Object.entries(ours.members) as [string, Member][];
      compare('a union', ours.type === 'union', theirs.union === true);
      compare(
        'the members',
        members.map(([it]) => it).sort(),
        Object.keys(theirs.members ?? {}).sort(),
      );
      const needed = members.filter(([, member]) => member.required).map(([it]) => it);
      compare('the required members', needed.sort(), [...(theirs.required ?? [])].sort());
      for (const [member, { shape }] of members) {
        const foreign = theirs.members?.[member]?.shape ?? '';
        found.push(...differences(model, foreign, shape, `${path}.${member}`));
      }
      break;
    }
    default:
      compare('the type', ours.type, theirs.type);
  }
  return found;
}

describe.skipIf(INTEROP_PYTHON === undefined)('the service model', () => {
  it('agrees with botocore’s, to the last constraint', async () => {
    const model = await readForeignModel(INTEROP_PYTHON ?? '');
    const found: string[] = [];
    for (const [name, { input, output }] of Object.entries(OPERATIONS) as [string, Operation][]) {
      const foreign = model.operations[name];
      found.push(...differences(model, foreign?.input.shape ?? '', input, `${name}.input`));
      if (output === undefined) expect(foreign?.output).toBeUndefined();
      else found.push(...differences(model, foreign?.output?.shape ?? '', output, name));
    }
    expect(found).toEqual([]);
  });
});
