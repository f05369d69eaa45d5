import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** From the ground up; a room imports only from rooms before it. ARCHITECTURE.md says what each is. */
const ROOMS = [
  'service-model',
  'kernels',
  'checkpoint',
  'optimizer',
  'objects',
  'store',
  'encryption',
  'identity',
  'telemetry',
  'executors',
  'jobs',
  'operations',
  'server',
  'cli',
];

/** What a room must not know of, although it stands below. */
const STRANGERS: Readonly<Record<string, readonly string[]>> = {
  kernels: ['service-model'],
  checkpoint: ['service-model'],
  optimizer: ['service-model'],
  objects: ['service-model', 'kernels', 'checkpoint', 'optimizer'],
  store: ['kernels', 'checkpoint', 'optimizer', 'objects'],
  server: ['kernels', 'checkpoint', 'optimizer'],
  cli: ROOMS.filter((room) => room !== 'service-model' && room !== 'cli'),
};

/** `burnish serve` is the service and `burnish iam` and `burnish kms` change its record, so they alone of the command line know it. */
const EXCEPTIONS: ReadonlySet<string> = new Set([
  'cli/commands/serve.ts',
  'cli/commands/iam.ts',
  'cli/commands/kms.ts',
]);

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'assembly' ? [] : sourceFiles(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)];
  return specifiers.map(([, specifier = '']) => relative(SRC, resolve(dirname(file), specifier)));
}

const roomOf = (path: string) => path.split('/')[0] ?? '';

describe('the rooms', () => {
  const files = sourceFiles(SRC);

  it('are all there are', () => {
    expect([...new Set(files.map((file) => roomOf(relative(SRC, file))))].sort()).toEqual(
      [...ROOMS].sort(),
    );
  });

  it.each(files.map((file) => [relative(SRC, file), file]))(
    '%s imports upwards only',
    (name, file) => {
      const room = roomOf(name);
      for (const imported of importsOf(file)) {
        const other = roomOf(imported);
        if (other === room || EXCEPTIONS.has(name)) continue;
        expect(ROOMS.indexOf(other), `${name} imports ${imported}`).toBeLessThan(
          ROOMS.indexOf(room),
        );
        expect(STRANGERS[room] ?? [], `${name} imports ${imported}`).not.toContain(other);
      }
    },
  );
});
