import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

/** Suites by the ending of their files: how long a test and a hook of each may take, in milliseconds. */
const SUITES = {
  // Many start processes, on machines that may be busy with other things; the slowest take seconds.
  unit: [3 * MINUTE, 3 * MINUTE],
  faults: [60 * MINUTE, MINUTE],
  postgres: [60 * MINUTE, MINUTE],
  docker: [5 * MINUTE, 5 * MINUTE],
  image: [10 * MINUTE, 30 * MINUTE],
  slurm: [5 * MINUTE, 5 * MINUTE],
  browser: [5 * MINUTE, 5 * MINUTE],
  kubernetes: [5 * MINUTE, 5 * MINUTE],
  interop: [10 * MINUTE, 10 * MINUTE],
} as const;

/** Tests import the compiled program (`#burnish/…` is `dist/`), so workers, child processes and
 * WebAssembly are found exactly as they are in an installed package. */
export default defineConfig({
  test: {
    projects: Object.entries(SUITES).map(([name, [testTimeout, hookTimeout]]) => ({
      test: {
        name,
        include: [`test/**/*.${name === 'unit' ? 'test' : name}.ts`],
        testTimeout,
        hookTimeout,
        pool: 'forks',
        // Other programs that tests compare with load ONNX Runtime, too; the optimizer says so itself.
        env: { ORT_DISABLE_TELEMETRY: '1' },
      },
    })),
  },
});
