/**
 * What random input is drawn from. The same by default, so that a change alone decides whether tests
 * pass; another one each time where more input is asked for (`npm run test:fuzz`), where it is named in
 * every failure. `BURNISH_FUZZ_SEED` repeats that, or looks further.
 */
export const SEED = Number(
  process.env.BURNISH_FUZZ_SEED ??
    (process.env.BURNISH_FUZZ_RUNS === undefined ? 20_240_229 : Date.now() % 2 ** 31),
);
