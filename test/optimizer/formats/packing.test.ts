import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeFloats, decodeHalf } from '#burnish/kernels/index.js';
import { autoAwqConfig, autoAwqTensors, packAutoAwq } from '#burnish/optimizer/formats/autoawq.js';
import { compressedTensors, packCompressed } from '#burnish/optimizer/formats/compressed-weight.js';
import { gptqConfig, gptqTensors, packGptq } from '#burnish/optimizer/formats/gptq.js';
import type { PackedTensor } from '#burnish/optimizer/formats/packed-tensors.js';
import type {
  EncodedFloat8,
  EncodedIntegers,
} from '#burnish/optimizer/techniques/encoded-weight.js';

/** Recorded by test/interop/record_packing_vectors.py from what each format's readers unpack. */
interface Vector {
  readonly format: 'autoawq' | 'gptq' | 'compressed-tensors';
  readonly weight: {
    readonly rows: number;
    readonly columns: number;
    readonly bits: number;
    readonly groupSize: number;
  };
  readonly codes: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Bits of half-precision numbers. */
  readonly scales: readonly number[];
  readonly groupOf?: readonly number[] | null;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

const VECTORS: readonly Vector[] = JSON.parse(
  readFileSync(new URL('./packing-vectors.json', import.meta.url), 'utf8'),
);

function encoded({ weight, codes, zeroPoints, scales, groupOf }: Vector): EncodedIntegers {
  return {
    kind: 'integers',
    ...weight,
    symmetric: false,
    codes: Uint8Array.from(codes),
    scales: Float32Array.from(scales, (bits) => decodeHalf(bits & 0xffff)),
    scaleType: 'F16',
    zeroPoints: Uint8Array.from(zeroPoints),
    ...(groupOf != null && { groupOf: Uint32Array.from(groupOf) }),
  };
}

const PACK = { autoawq: packAutoAwq, gptq: packGptq, 'compressed-tensors': packCompressed };

function int32s({ data }: PackedTensor): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / 4 }, (_, i) => view.getInt32(i * 4, true));
}

function named(tensors: readonly PackedTensor[], name: string): PackedTensor {
  const found = tensors.find((tensor) => tensor.name === `layer.${name}`);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

describe('packed words are those that the readers unpack to the same codes', () => {
  test.each(VECTORS.map((vector) => [vector.format, vector.weight.bits, vector] as const))(
    '%s, %i bits',
    (format, _, vector) => {
      const packed = PACK[format]('layer', encoded(vector));
      for (const [name, words] of Object.entries(vector.tensors)) {
        expect(int32s(named(packed, name))).toEqual(words);
      }
      for (const { shape, data, dtype } of packed) {
        const size = dtype === 'F16' ? 2 : dtype === 'I64' ? 8 : 4;
        expect(data.length).toBe(size * shape.reduce((product, length) => product * length, 1));
      }
    },
  );

  test('scales stand by group and output where weights are transposed', () => {
    for (const vector of VECTORS.filter(({ format }) => format !== 'compressed-tensors')) {
      const weight = encoded(vector);
      const { data, shape } = named(PACK[vector.format]('layer', weight), 'scales');
      const [groups = 0, rows = 0] = shape;
      const found = decodeFloats(data, 'F16');
      for (let group = 0; group < groups; group++) {
        for (let row = 0; row < rows; row++) {
          expect(found[group * rows + row]).toBe(weight.scales[row * groups + group]);
        }
      }
    }
  });
});

function flat(rows: number, columns: number, bits: number, groupSize: number): EncodedIntegers {
  const groups = Math.ceil(columns / groupSize);
  return {
    kind: 'integers',
    rows,
    columns,
    bits,
    groupSize,
    symmetric: true,
    codes: Uint8Array.from({ length: rows * columns }, (_, at) => at % 2 ** bits),
    scales: new Float32Array(rows * groups).fill(0.5),
    scaleType: 'F16',
    zeroPoints: new Uint8Array(rows * groups).fill(2 ** (bits - 1)),
  };
}

describe('weights that a format cannot hold are refused with the reason', () => {
  test.each([
    ['AutoAWQ checkpoints have 4-bit weights, not 3-bit ones', flat(8, 32, 3, 32)],
    ['its 12 outputs are not a multiple of 8', flat(12, 32, 4, 32)],
    ['its 40 inputs are not a multiple of the group size 32', flat(8, 40, 4, 32)],
    ['F16 scales, not BF16', { ...flat(8, 32, 4, 32), scaleType: 'BF16' }],
    ['consecutive inputs only', { ...flat(8, 32, 4, 16), groupOf: new Uint32Array(32) }],
  ] as const)('AutoAWQ: %s', (problem, weight) => {
    expect(() => packAutoAwq('m.q_proj', weight)).toThrow(problem);
  });

  test.each([
    ['weights of 2, 3, 4, 8 bits, not 5', flat(32, 32, 5, 32)],
    ['its 36 inputs are not a multiple of 8', flat(8, 36, 4, 36)],
    ['its 8 outputs are not a multiple of 32', flat(8, 32, 3, 32)],
    ['F16 scales, not F32', { ...flat(8, 32, 4, 32), scaleType: 'F32' }],
    [
      'the zero point of row 0, group 0 is 0',
      { ...flat(8, 32, 4, 32), zeroPoints: new Uint8Array(8) },
    ],
  ] as const)('GPTQ: %s', (problem, weight) => {
    expect(() => packGptq('m.q_proj', weight)).toThrow(problem);
  });

  test('compressed-tensors: codes of other widths cannot be stored unpacked', () => {
    expect(() => packCompressed('m.q_proj', flat(8, 32, 4, 32), false)).toThrow('m.q_proj: only');
  });
});

describe('compressed-tensors', () => {
  test('stores W8A8 codes as signed bytes', () => {
    const packed = packCompressed('layer', { ...flat(2, 4, 8, 4), scaleType: 'BF16' }, false);
    expect(packed.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['layer.weight', 'I8', [2, 4]],
      ['layer.weight_scale', 'BF16', [2, 1]],
    ]);
    expect([...new Int8Array(named(packed, 'weight').data)]).toEqual([
      -128, -127, -126, -125, -124, -123, -122, -121,
    ]);
    expect([...decodeFloats(named(packed, 'weight_scale').data, 'BF16')]).toEqual([0.5, 0.5]);
  });

  test('stores reordered groups with the group of each column', () => {
    const groupOf = Uint32Array.of(1, 0, 1, 0, 0, 1, 0, 1);
    const weight = { ...flat(2, 8, 4, 4), groupOf };
    const packed = packCompressed('layer', weight);
    expect(packed.map(({ name, shape }) => [name, shape])).toEqual([
      ['layer.weight_packed', [2, 1]],
      ['layer.weight_scale', [2, 2]],
      ['layer.weight_shape', [2]],
      ['layer.weight_g_idx', [8]],
    ]);
    expect(int32s(named(packed, 'weight_g_idx'))).toEqual([...groupOf]);
    const { data } = named(packed, 'weight_shape');
    expect(Buffer.from(data).readBigInt64LE(8)).toBe(8n);
  });

  test('stores FP8 with a static scale of the input', () => {
    const weight: EncodedFloat8 = {
      kind: 'float8',
      rows: 2,
      columns: 3,
      codes: Uint8Array.of(1, 2, 3, 4, 5, 6),
      scales: Float32Array.of(0.25),
      scaleType: 'BF16',
      inputScale: 2,
    };
    const packed = packCompressed('layer', weight);
    expect(packed.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['layer.weight', 'F8_E4M3', [2, 3]],
      ['layer.weight_scale', 'BF16', [1]],
      ['layer.input_scale', 'BF16', [1]],
    ]);
    expect([...decodeFloats(named(packed, 'input_scale').data, 'BF16')]).toEqual([2]);
    const rows = compressedTensors('layer', { ...weight, scales: 'row', staticInputs: false });
    expect(rows.map(({ name, shape }) => [name, shape])).toEqual([
      ['layer.weight', [2, 3]],
      ['layer.weight_scale', [2, 1]],
    ]);
  });
});

describe('configurations', () => {
  test('tell AutoAWQ readers of zero points in any case', () => {
    expect(autoAwqConfig(128, ['lm_head'])).toEqual({
      quant_method: 'awq',
      bits: 4,
      group_size: 128,
      zero_point: true,
      version: 'gemm',
      modules_to_not_convert: ['lm_head'],
    });
    expect(autoAwqConfig(undefined, [])).toMatchObject({
      group_size: -1,
      modules_to_not_convert: null,
    });
  });

  test('tell GPTQ readers which modules are left as they are', () => {
    const config = gptqConfig({
      bits: 3,
      groupSize: 64,
      symmetric: false,
      reorderedGroups: true,
      damping: 0.05,
      unquantized: ['model.layers.0.mlp.down_proj'],
    });
    expect(config).toMatchObject({
      quant_method: 'gptq',
      checkpoint_format: 'gptq',
      bits: 3,
      group_size: 64,
      sym: false,
      desc_act: true,
      damp_percent: 0.05,
      dynamic: { '-:^model\\.layers\\.0\\.mlp\\.down_proj$': {} },
    });
  });

  test('shapes can be planned before a weight is read', () => {
    expect(autoAwqTensors('layer', flat(16, 64, 4, 32))).toEqual(
      packAutoAwq('layer', flat(16, 64, 4, 32)).map(({ name, dtype, shape }) => ({
        name,
        dtype,
        shape,
      })),
    );
    expect(gptqTensors('layer', flat(32, 64, 3, 32))).toEqual([
      { name: 'layer.qweight', dtype: 'I32', shape: [6, 32] },
      { name: 'layer.qzeros', dtype: 'I32', shape: [2, 3] },
      { name: 'layer.scales', dtype: 'F16', shape: [2, 32] },
      { name: 'layer.g_idx', dtype: 'I32', shape: [64] },
    ]);
  });
});
