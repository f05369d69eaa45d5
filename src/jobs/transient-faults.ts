import type { FaultListener } from '../objects/object-store.js';
import type { TransientFaults } from '../optimizer/report/types.js';

/** Counts faults of the object store that were got over by trying again. */
export class FaultCount {
  readonly #byKind = new Map<string, number>();

  readonly listener: FaultListener = (kind) => {
    this.#byKind.set(kind, (this.#byKind.get(kind) ?? 0) + 1);
  };

  get counted(): TransientFaults {
    const kinds = [...this.#byKind].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      total: kinds.reduce((sum, [, count]) => sum + count, 0),
      byKind: Object.fromEntries(kinds),
    };
  }
}
