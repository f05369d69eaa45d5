import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { fc } from '../support/properties.js';

/** Inputs for each target; `BURNISH_FUZZ_RUNS` asks for more. */
const RUNS = Number(process.env.BURNISH_FUZZ_RUNS ?? 250);
/** Nothing that is asked takes a three-hundredth of this on an idle machine. */
const HANG_MS = 60_000;

/** Draws the decisions of one input; the same seed draws the same. */
export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seededRandom(seed);
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}

/** Runs a check on as many inputs as were asked for; it makes its input of what it draws. */
export async function fuzz(check: (draw: Draw) => Promise<void>, share = 1): Promise<void> {
  const runs = Math.ceil(RUNS * share);
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => inTime(check(new Draw(seed)))),
    { numRuns: runs, endOnFailure: true },
  );
  if (process.env.BURNISH_FUZZ_RUNS !== undefined) process.stdout.write(`${runs} inputs\n`);
}

async function inTime(checking: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${HANG_MS} ms`)), HANG_MS);
  });
  try {
    await Promise.race([checking, hang]);
  } finally {
    clearTimeout(timer);
  }
}
