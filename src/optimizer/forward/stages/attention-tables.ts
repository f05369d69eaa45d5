import type { AttentionStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import { type RotaryTables, rotaryTables } from '../rotary.js';

/** What stands for minus infinity: added to any score it leaves nothing of it. */
const HIDDEN_SCORE = -1e30;

/** Tables kept for reuse; models need one or two, sequences of many lengths more. */
const MAX_TABLES = 8;

/** Masks and rotations by sequence length, made once for all blocks that share them. */
export class AttentionTables {
  readonly #rotations = new Map<string, RotaryTables>();
  readonly #masks = new Map<string, Float32Array>();

  rotation({ rotary }: AttentionStage, positions: number): RotaryTables {
    const key = JSON.stringify([rotary, positions]);
    return remember(this.#rotations, key, () => rotaryTables(rotary, positions));
  }

  /** `[positions, positions]`: 0 where a position sees another, far below zero where not. */
  mask({ window }: AttentionStage, positions: number): Float32Array {
    const reach = Math.min(window ?? positions, positions);
    return remember(this.#masks, `${positions} ${reach}`, () => causalMask(positions, reach));
  }
}

function causalMask(positions: number, reach: number): Float32Array {
  const mask = new Float32Array(positions * positions).fill(HIDDEN_SCORE);
  for (let position = 0; position < positions; position += 1) {
    const row = position * positions;
    mask.fill(0, row + Math.max(0, position - reach + 1), row + position + 1);
  }
  return mask;
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
