import { codesPerUnit, type IntegerBits, type WeightScheme } from '../../kernels/index.js';
import type { RequestedScheme } from '../settings/requested-scheme.js';

/** Group sizes that serving engines have kernels for, largest first. */
const GROUP_SIZES = [128, 64, 32] as const;

export interface WeightShape {
  readonly rows: number;
  readonly columns: number;
}

/** The scheme that a family of layers gets, or why it can have none. */
export type SchemeChoice =
  | {
      readonly scheme: WeightScheme;
      /** Whether the group size is another than the one asked for. */
      readonly changed: boolean;
    }
  | { readonly scheme: undefined; readonly reason: string };

/** Chooses one scheme for layers that must share it. A group size that does not divide every width is
 * replaced by the largest of 128, 64 and 32 that does, else by one scale per channel. */
export function chooseScheme(
  requested: RequestedScheme,
  shapes: readonly WeightShape[],
): SchemeChoice {
  if (requested.technique === 'fp8') {
    return { scheme: { type: 'float', bits: 8, strategy: 'channel' }, changed: false };
  }
  if (requested.technique === 'int8' || requested.technique === 'smoothquant') {
    return { scheme: integerScheme(8, undefined, true, false), changed: false };
  }
  const { bits, zeroPoint } = requested;
  const factor = codesPerUnit(bits);
  const odd = shapes.find(({ columns }) => columns % factor !== 0);
  if (odd !== undefined) {
    return {
      scheme: undefined,
      reason: `its width ${odd.columns} is not a multiple of ${factor}, the codes of ${packedWords(bits)}`,
    };
  }
  const uneven =
    zeroPoint || hasOneGroupSize(requested)
      ? shapes.find(({ rows }) => rows % factor !== 0)
      : undefined;
  if (uneven !== undefined) {
    return {
      scheme: undefined,
      reason: `its ${uneven.rows} outputs are not a multiple of ${factor}, the zero points of ${packedWords(bits)}`,
    };
  }
  if (hasOneGroupSize(requested)) {
    const { groupSize } = requested;
    const unfit = shapes.find(({ columns }) => columns % (groupSize ?? columns) !== 0);
    if (unfit !== undefined) {
      return {
        scheme: undefined,
        reason: `its width ${unfit.columns} is not a multiple of the group size ${groupSize}, and the format has one for all layers`,
      };
    }
  }
  const groupSize = fittingGroupSize(requested.groupSize, shapes);
  return {
    scheme: integerScheme(bits, groupSize, !zeroPoint, true),
    changed: groupSize !== requested.groupSize,
  };
}

/** What so many codes fill that readers take them for whole. */
function packedWords(bits: IntegerBits): string {
  return bits === 3 ? 'three packed words' : 'one packed word';
}

/** Whether the result's format knows one group size for the whole model, and packs along the outputs. */
function hasOneGroupSize(requested: RequestedScheme): boolean {
  return 'format' in requested && requested.format !== 'compressed-tensors';
}

function fittingGroupSize(
  asked: number | undefined,
  shapes: readonly WeightShape[],
): number | undefined {
  if (asked === undefined) return undefined;
  return [asked, ...GROUP_SIZES].find((size) =>
    shapes.every(({ columns }) => columns % size === 0),
  );
}

function integerScheme(
  bits: IntegerBits,
  groupSize: number | undefined,
  symmetric: boolean,
  packed: boolean,
): WeightScheme {
  const strategy = groupSize === undefined ? 'channel' : 'group';
  return { type: 'int', bits, strategy, groupSize, symmetric, packed };
}

/** A short name of a scheme for logs, reports and telling schemes apart: `int4, groups of 128`. */
export function describeScheme(scheme: WeightScheme, staticInputs: boolean): string {
  if (scheme.type === 'float') {
    return `fp8, per channel, ${staticInputs ? 'static' : 'dynamic'} activations`;
  }
  const scope = scheme.groupSize === undefined ? 'per channel' : `groups of ${scheme.groupSize}`;
  return [
    `int${scheme.bits}`,
    scope,
    ...(scheme.symmetric ? [] : ['zero points']),
    ...(scheme.packed ? [] : ['dynamic activations']),
  ].join(', ');
}
