import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.js';

const SRC = fileURLToPath(new URL('../../../src', import.meta.url));
const ALGEBRA = new URL('../../../dist/optimizer/linear-algebra/onnx-algebra.js', import.meta.url);

const MULTIPLY = `
  const { createLinearAlgebra } = await import('${ALGEBRA}');
  const algebra = createLinearAlgebra(1);
  const matrix = { rows: 2, columns: 2, values: Float32Array.of(1, 2, 3, 4) };
  console.log((await algebra.multiply(matrix, matrix)).values.join(' '));
`;

it('keeps to itself: what runs a graph leaves no identifier and no queue of events', () => {
  const folder = temporaryFolder('telemetry');
  // Nothing else of this environment: ONNX Runtime is silent where it takes itself to be tested.
  const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, ORT_DISABLE_TELEMETRY: '0' };
  const parameters = ['--input-type=module', '--eval', MULTIPLY];
  const said = execFileSync(process.execPath, parameters, { env, cwd: folder, encoding: 'utf8' });
  expect(said).toBe('7 10 15 22\n');
  expect(readdirSync(folder)).toEqual([]);
});

it('is imported from one place, which keeps it silent', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
  const importing = files.filter(
    (file) =>
      file.endsWith('.ts') && readFileSync(join(SRC, file), 'utf8').includes("'onnxruntime-node'"),
  );
  expect(importing).toEqual([join('optimizer', 'onnx-runtime', 'onnx-runtime.ts')]);
});
