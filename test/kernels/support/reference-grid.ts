import type { CodeGrid, FloatType } from '#burnish/kernels/index.js';

/** Plain arithmetic on the numbers of a grid, one at a time, codes found by trying them all. */

const bits = new DataView(new ArrayBuffer(4));

/** The nearest number of a type to one that is neither too large for it nor below its normal ones,
 * by the bits of f32. */
function nearestOfType(value: number, type: FloatType): number {
  if (type === 'F32') return Math.fround(value);
  const dropped = type === 'BF16' ? 16 : 13;
  // What an f32 drops of an f64 decides a tie of the shorter type.
  const single = Math.fround(value);
  bits.setFloat32(0, single);
  const low = (bits.getUint32(0) >>> dropped) << dropped;
  const at = (pattern: number): number => {
    bits.setUint32(0, pattern >>> 0);
    return bits.getFloat32(0);
  };
  const steps = [low - (1 << dropped), low, low + (1 << dropped)];
  const distance = (pattern: number): number => Math.abs(at(pattern) - value);
  const [best = low] = steps.sort(
    (a, b) => distance(a) - distance(b) || ((a >>> dropped) & 1) - ((b >>> dropped) & 1),
  );
  return at(best);
}

const SMALLEST: Readonly<Record<FloatType, number>> = {
  F32: 2 ** -126,
  F16: 2 ** -14,
  BF16: 2 ** -126,
};

export function storedScaleOf({ scaleType }: CodeGrid, scale: number): number {
  return scale <= SMALLEST[scaleType] ? SMALLEST[scaleType] : nearestOfType(scale, scaleType);
}

/** The code with the nearest number, of two as near the one an even number of steps from zero. */
export function codeOf(
  { bits: width }: CodeGrid,
  value: number,
  scale: number,
  zeroPoint: number,
): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let code = 0; code < 2 ** width; code++) {
    const distance = Math.abs(value / scale - (code - zeroPoint));
    const even = (code - zeroPoint) % 2 === 0;
    if (distance < least || (distance === least && even)) [best, least] = [code, distance];
  }
  return best;
}

/** The scale and zero point that cover a range together with zero. */
export function coveringRange(
  grid: CodeGrid,
  least: number,
  greatest: number,
): { readonly scale: number; readonly zeroPoint: number } {
  const [low, high] = [Math.min(0, least), Math.max(0, greatest)];
  const steps = 2 ** grid.bits - 1;
  if (grid.symmetric) {
    const scale = storedScaleOf(grid, (2 * Math.max(-low, high)) / steps);
    return { scale, zeroPoint: 2 ** (grid.bits - 1) };
  }
  const scale = storedScaleOf(grid, (high - low) / steps);
  // The zero point is the code of zero where the least number has the code 0.
  const zeroPoint = codeOf(grid, -low, scale, 0);
  if (zeroPoint >= grid.lowestZeroPoint) return { scale, zeroPoint };
  const { lowestZeroPoint } = grid;
  return {
    scale: storedScaleOf(grid, high / (steps - lowestZeroPoint)),
    zeroPoint: lowestZeroPoint,
  };
}

/** Grids of every width, kind and scale type. */
export function gridsOf(groupSize: number): readonly CodeGrid[] {
  const types = ['F32', 'F16', 'BF16'] as const;
  return [2, 3, 4, 5, 6, 7, 8].flatMap((width) =>
    [true, false].map((symmetric) => ({
      ...{ bits: width, groupSize, symmetric },
      scaleType: types[width % 3] ?? 'F32',
      lowestZeroPoint: symmetric || width % 2 === 0 ? 0 : 1,
    })),
  );
}
