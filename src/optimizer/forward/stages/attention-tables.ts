import type { AttentionStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import { type RotaryTables, rotaryTables } from '../rotary.js';

/** What stands for minus infinity: added to any score it leaves nothing of it. */
const HIDDEN_SCORE = -1e30;

/** Tables kept for reuse; models need one or two, sequences of many lengths more. */
const MAX_TABLES = 8;

/** Positions of queries that are taken at a time: their scores stay in the processors' caches. */
export const TILE_POSITIONS = 128;

/** Which positions the queries of a sequence see. */
export interface AttentionMask {
  /** `[tiles, tile, positions]`: 0 where a position sees another, far below zero where not. Positions
   * that fill up the last tile see nothing. */
  readonly values: Float32Array;
  readonly shape: readonly [tiles: number, tile: number, positions: number];
  /** For each tile how many positions from the first it sees at most. */
  readonly ends: BigInt64Array;
}

/** Masks and rotations by sequence length, made once for all blocks that share them. */
export class AttentionTables {
  readonly #rotations = new Map<string, RotaryTables>();
  readonly #masks = new Map<string, AttentionMask>();

  rotation({ rotary }: AttentionStage, positions: number): RotaryTables {
    const key = JSON.stringify([rotary, positions]);
    return remember(this.#rotations, key, () => rotaryTables(rotary, positions));
  }

  mask({ window }: AttentionStage, positions: number): AttentionMask {
    const reach = Math.min(window ?? positions, positions);
    return remember(this.#masks, `${positions} ${reach}`, () => causalMask(positions, reach));
  }
}

function causalMask(positions: number, reach: number): AttentionMask {
  const tile = Math.min(positions, TILE_POSITIONS);
  const tiles = Math.ceil(positions / tile);
  const values = new Float32Array(tiles * tile * positions).fill(HIDDEN_SCORE);
  for (let position = 0; position < positions; position += 1) {
    const row = position * positions;
    values.fill(0, row + Math.max(0, position - reach + 1), row + position + 1);
  }
  const ends = BigInt64Array.from({ length: tiles }, (_, index) =>
    BigInt(Math.min(positions, (index + 1) * tile)),
  );
  return { values, shape: [tiles, tile, positions], ends };
}

function remember<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const [oldest] = known.keys();
  if (known.size >= MAX_TABLES && oldest !== undefined) known.delete(oldest);
  const made = make();
  known.set(key, made);
  return made;
}
