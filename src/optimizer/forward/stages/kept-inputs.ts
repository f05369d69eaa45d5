import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import {
  type Activations,
  createActivations,
  SpillFile,
  type SpillOptions,
} from '../activations.js';

/** Whose inputs: of the model as it is becoming, or of the original one beside it. */
export type Lane = 'own' | 'original';

/** Beyond this a disk gives them back more slowly than they are computed again. */
export const MAX_KEPT_BYTES = 4 * 1024 ** 3;

/** What is larger is in a file, and so in the machine's file cache as long as there is room for it. */
export const KEPT_MEMORY_BYTES = 16 * 1024 ** 2;

/** Part of the free disk that they may take. */
export const DISK_SHARE = 0.25;

/** What the last linear layer of a stage gets for every token. Those of the layers before it are its
 * stage's most costly part; what was computed to sum them up need not be computed again to move on. One
 * stage's take the place of those of the stage before. */
export class KeptInputs {
  readonly #spill: SpillOptions;
  readonly #lanes = new Map<Lane, Activations>();
  readonly #files = new Map<Lane, SpillFile>();

  constructor(spill: SpillOptions = {}) {
    this.#spill = spill;
  }

  /** Inputs that an earlier run left. */
  of(lane: Lane): Activations | undefined {
    return this.#lanes.get(lane);
  }

  /** Room for them, `[tokens, width]`; undefined where it would be too much. */
  async room(lane: Lane, tokens: number, width: number): Promise<Activations | undefined> {
    await this.#lanes.get(lane)?.close();
    this.#lanes.delete(lane);
    const bytes = tokens * width * Float32Array.BYTES_PER_ELEMENT;
    const { memoryBytes = KEPT_MEMORY_BYTES, folder = tmpdir() } = this.#spill;
    const memory = Math.min(memoryBytes, KEPT_MEMORY_BYTES);
    if (bytes > memory) {
      const { bavail, bsize } = await statfs(folder);
      if (bytes > Math.min(MAX_KEPT_BYTES, bavail * bsize * DISK_SHARE)) return undefined;
    }
    const file = this.#files.get(lane) ?? new SpillFile(folder);
    this.#files.set(lane, file);
    const room = await createActivations(tokens, width, { memoryBytes: memory, file });
    this.#lanes.set(lane, room);
    return room;
  }

  /** Forgets them, but not where they were. */
  async forget(): Promise<void> {
    const lanes = [...this.#lanes.values()];
    this.#lanes.clear();
    for (const lane of lanes) await lane.close();
  }

  async close(): Promise<void> {
    await this.forget();
    for (const file of this.#files.values()) await file.close();
    this.#files.clear();
  }
}
