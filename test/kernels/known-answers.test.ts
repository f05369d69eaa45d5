import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createKernelPool,
  decodeRows,
  type FloatType,
  type WeightScheme,
} from '#burnish/kernels/index.js';
import { Workbench } from './support/workbench.js';

/** One of known-answers.json: what known-answers.py got from compressed-tensors, in base64. */
interface KnownAnswer {
  readonly scheme: { readonly [Key in keyof WeightScheme]: unknown } & {
    readonly groupSize?: number | null;
  };
  readonly sourceType: FloatType;
  readonly scaleType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly source: string;
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints: string | null;
  readonly decoded: string;
}

const file = new URL('./known-answers.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(file, 'utf8')) as { answers: readonly KnownAnswer[] };

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

function schemeOf({ scheme }: KnownAnswer): WeightScheme {
  const { groupSize, ...rest } = scheme;
  const known = rest.type === 'int' ? { ...rest, groupSize: groupSize ?? undefined } : rest;
  return known as WeightScheme;
}

const bench = new Workbench();
const pool = createKernelPool({ threads: 1 });
afterAll(() => pool.close());

describe('answers known from compressed-tensors', () => {
  it.each(answers)(
    '$scheme of $sourceType [$rows, $columns], $scaleType scales',
    async (answer) => {
      const { sourceType, scaleType, rows, columns } = answer;
      const scheme = schemeOf(answer);
      const source = bytes(answer.source);
      const weight = { source, sourceType, rows, columns, scheme, scaleType };
      const encoded = await bench.quantize(pool, weight);
      expect(encoded.scales).toEqual(bytes(answer.scales));
      expect(encoded.codes).toEqual(bytes(answer.codes));
      const zeroPoints = answer.zeroPoints === null ? undefined : bytes(answer.zeroPoints);
      expect(encoded.zeroPoints).toEqual(zeroPoints);

      const decoded = decodeRows({
        ...{ scheme, scaleType, rows, columns },
        codes: bytes(answer.codes),
        scales: bytes(answer.scales),
        ...(zeroPoints && { zeroPoints }),
      });
      // Adding 0 makes one of the two zeros: integer codes have none below zero, torch makes one.
      const wanted = new Float32Array(bytes(answer.decoded).buffer);
      expect(decoded.map((element) => element + 0)).toEqual(wanted.map((element) => element + 0));
    },
  );
});
