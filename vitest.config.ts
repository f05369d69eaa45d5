import { defineConfig } from 'vitest/config';

/** Tests import the compiled program (`#burnish/…` is `dist/`), so workers, child processes and
 * WebAssembly are found exactly as they are in an installed package. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
    ],
  },
});
