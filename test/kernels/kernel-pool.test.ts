import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createKernelPool,
  KernelFileError,
  KernelTaskError,
  MAX_ROW_BYTES,
  type QuantizeRowsTask,
} from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { randomWeights } from './support/random.js';
import { type WeightCase, Workbench } from './support/workbench.js';

const bench = new Workbench();
const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

const SMALL: WeightCase = {
  source: randomWeights(seededRandom(1), 'BF16', 'layer', 16 * 64),
  sourceType: 'BF16',
  rows: 16,
  columns: 64,
  scheme: {
    ...{ type: 'int', bits: 4, strategy: 'group', groupSize: 32, symmetric: false, packed: true },
  } as const,
  scaleType: 'BF16',
};

/** A weight of several pieces. */
const LARGE: WeightCase = {
  ...SMALL,
  source: new Uint8Array(20_000 * 2048 * 2),
  rows: 20_000,
  columns: 2048,
};

/** Which of the bench's files this process holds open. */
function openFiles(): string[] {
  const folder = '/proc/self/fd';
  return readdirSync(folder).flatMap((fd) => {
    if (!existsSync(`${folder}/${fd}`)) return [];
    const target = readlinkSync(`${folder}/${fd}`);
    return target.startsWith(bench.folder) ? [target] : [];
  });
}

describe('files', () => {
  it('that are missing are named, with what was to be done to them', async () => {
    const task = bench.place(SMALL);
    const missing = bench.path('missing');
    for (const part of ['source', 'codes', 'scales', 'zeroPoints'] as const) {
      const range = task[part];
      if (range === undefined) throw new Error(`no ${part}`);
      const broken = { ...task, [part]: { ...range, path: missing } };
      const error = await pool.quantizeRows(broken).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(KernelFileError);
      expect(error).toMatchObject({ path: missing, code: 'ENOENT' });
      const action = part === 'source' ? 'reading' : 'writing';
      expect(String(error)).toContain(`Cannot open for ${action} ${missing}`);
    }
    await expect(pool.sha256(missing)).rejects.toMatchObject({ path: missing, code: 'ENOENT' });
    expect(existsSync(missing)).toBe(false);
  });

  it('that are folders are refused', async () => {
    const task = bench.place(SMALL);
    const broken = { ...task, source: { ...task.source, path: bench.folder } };
    await expect(pool.quantizeRows(broken)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  it('that end too early are named with both sizes', async () => {
    const task = bench.place(SMALL);
    const bytes = readFileSync(task.source.path);
    writeFileSync(task.source.path, bytes.subarray(0, bytes.length - 1));
    const error = await pool.quantizeRows(task).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ path: task.source.path, code: 'SHORT_FILE' });
    expect(String(error)).toContain(`ends after ${bytes.length - 1} bytes where ${bytes.length}`);
    const target = { ...task.codes, length: task.source.length };
    const copy = pool.copyRange({ name: 'norm', source: task.source, target });
    await expect(copy).rejects.toMatchObject({ code: 'SHORT_FILE' });
  });

  it.skipIf(!existsSync('/dev/null'))('that are devices are refused', async () => {
    const task = bench.place(SMALL);
    const device = { ...task, codes: { ...task.codes, path: '/dev/null' } };
    await expect(pool.quantizeRows(device)).rejects.toMatchObject({ path: '/dev/null' });
  });

  it.skipIf(!existsSync('/proc/self/fd'))('are closed when a call has ended', async () => {
    const task = bench.place(SMALL);
    const calls = Array.from({ length: 40 }, () => pool.quantizeRows(task));
    await Promise.all(calls);
    expect(openFiles()).toEqual([]);
    const broken = { ...task, scales: { ...task.scales, path: bench.path('missing') } };
    await expect(pool.quantizeRows(broken)).rejects.toThrow(KernelFileError);
    expect(openFiles()).toEqual([]);
  });
});

describe('tasks that make no sense', () => {
  const cases: readonly (readonly [string, (task: QuantizeRowsTask) => object, string])[] = [
    ['no rows', () => ({ rows: 0 }), 'shape [0, 64]'],
    ['half a column', () => ({ columns: 63.5 }), 'shape [16, 63.5]'],
    ['rows too long', () => ({ rows: 1, columns: MAX_ROW_BYTES / 2 + 8 }), 'is the most that'],
    [
      'a group that does not fit',
      ({ scheme }) => ({ scheme: { ...scheme, groupSize: 40 } }),
      'group size 40 does not divide its 64 columns',
    ],
    [
      'an odd group',
      ({ scheme }) => ({ scheme: { ...scheme, groupSize: 4 } }),
      'group size 4 is not a multiple of 8',
    ],
    [
      'a group without its size',
      ({ scheme }) => ({ scheme: { ...scheme, groupSize: undefined } }),
      'group size undefined',
    ],
    [
      'a size without its group',
      ({ scheme }) => ({ scheme: { ...scheme, strategy: 'channel' } }),
      'one scale a channel has no group size',
    ],
    [
      'unpacked 4-bit codes',
      ({ scheme }) => ({ scheme: { ...scheme, packed: false } }),
      'only symmetric 8-bit codes',
    ],
    ['too short a source', ({ source }) => ({ source: { ...source, length: 9 } }), 'has 9'],
    ['too long a target', ({ codes }) => ({ codes: { ...codes, length: 513 } }), 'has 513'],
    [
      'too few scales',
      ({ scales }) => ({ scales: { ...scales, length: 2 } }),
      'its scales take 64',
    ],
    ['no zero points', () => ({ zeroPoints: undefined }), 'its zero points take 16 bytes'],
    [
      'a negative offset',
      ({ codes }) => ({ codes: { ...codes, offset: -1 } }),
      'are not a range of a file',
    ],
    [
      'an offset beyond counting',
      ({ source }) => ({ source: { ...source, offset: 2 ** 53 } }),
      'are not a range of a file',
    ],
  ];

  it.each(cases)('are refused: %s', async (_, change, message) => {
    const task = bench.place(SMALL);
    const before = readFileSync(task.codes.path);
    const broken = { ...task, ...change(task) };
    const refused = pool.quantizeRows(broken);
    await expect(refused).rejects.toThrow(KernelTaskError);
    await expect(refused).rejects.toThrow(message);
    expect(readFileSync(task.codes.path).equals(before)).toBe(true);
  });

  it('are refused by copyRange', async () => {
    const { source, codes } = bench.place(SMALL);
    const unequal = pool.copyRange({ name: 'norm', source, target: codes });
    await expect(unequal).rejects.toThrow('norm: cannot copy 2048 bytes into a range of 512');
    const odd = { ...source, length: 511 };
    const target = { ...codes, length: 511 };
    const partial = pool.copyRange({ name: 'norm', source: odd, target, checkFinite: 'BF16' });
    await expect(partial).rejects.toThrow('norm: 511 bytes are not whole BF16 elements');
  });

  it('are refused by createKernelPool', () => {
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      expect(() => createKernelPool({ threads })).toThrow(RangeError);
    }
  });
});

describe('the longest rows', () => {
  it('are encoded within the memory that the kernels have', async () => {
    const columns = MAX_ROW_BYTES / 2;
    // Of all schemes this one writes the most for what it reads.
    const scheme = { ...SMALL.scheme, bits: 8, groupSize: 8 } as const;
    const source = new Uint8Array(9 * columns * 2).fill(0x3f);
    const weight = { ...SMALL, source, rows: 9, columns, scheme, scaleType: 'F32' } as const;
    const { error, codes } = await bench.quantize(pool, weight);
    expect(error.relativeRms).toBeLessThan(2e-3);
    expect(codes.every((code) => code === 0xff)).toBe(true);
  });
});

describe('copyRange', () => {
  it('copies any range bit for bit, an empty one too', async () => {
    const bytes = randomBytes(20_000_003);
    const source = bench.path('bytes');
    const target = bench.path('copied');
    writeFileSync(source, bytes);
    for (const [from, to, length] of [
      [0, 0, bytes.length],
      [17, 3, 9_999_999],
      [5, 0, 0],
      [bytes.length - 1, 9, 1],
    ] as const) {
      writeFileSync(target, '');
      const found = await pool.copyRange({
        name: 'bytes',
        source: { path: source, offset: from, length },
        target: { path: target, offset: to, length },
      });
      expect(found).toEqual({});
      const copied = readFileSync(target).subarray(to);
      expect(copied.equals(bytes.subarray(from, from + length))).toBe(true);
    }
  });
});

describe('sha256', () => {
  it('is that of the whole file, whatever its size', async () => {
    for (const size of [0, 1, 1024 * 1024, 5_000_001]) {
      const path = bench.path(`hashed-${size}`);
      const bytes = randomBytes(size);
      writeFileSync(path, bytes);
      expect(await pool.sha256(path)).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
});

describe('abort', () => {
  it('before the start touches nothing', async () => {
    const task = bench.place(SMALL);
    const before = readFileSync(task.codes.path);
    const signal = AbortSignal.abort(new Error('stopped by the user'));
    await expect(pool.quantizeRows(task, { signal })).rejects.toThrow('stopped by the user');
    await expect(pool.sha256(task.codes.path, { signal })).rejects.toThrow('stopped by the user');
    expect(readFileSync(task.codes.path).equals(before)).toBe(true);
  });

  it('on the way ends the call with its reason and leaves the files alone after that', async () => {
    // Long enough that it is not over before this thread has seen it begin; a hole reads as zeros.
    const rows = 8 * LARGE.rows;
    const length = 8 * LARGE.source.byteLength;
    const placed = bench.place({ ...LARGE, rows, source: new Uint8Array() });
    truncateSync(placed.source.path, placed.source.offset + length);
    const task = { ...placed, source: { ...placed.source, length } };
    const stop = new AbortController();
    const refused = expect(pool.quantizeRows(task, { signal: stop.signal })).rejects.toThrow(
      'stopped on the way',
    );
    const file = await open(task.codes.path);
    const first = new Uint8Array([0xa5]);
    while (first[0] === 0xa5) await file.read(first, 0, 1, task.codes.offset);
    await file.close();
    stop.abort(new Error('stopped on the way'));
    await refused;
    const after = readFileSync(task.codes.path);
    expect(openFiles()).toEqual([]);
    // The next call finds the threads free: whatever was under way is over.
    await pool.sha256(task.scales.path);
    expect(readFileSync(task.codes.path).equals(after)).toBe(true);
    const last = task.codes.offset + task.codes.length;
    expect(after.subarray(last - 1000, last).every((byte) => byte === 0xa5)).toBe(true);
  });

  it('stops a hash that is being made', async () => {
    // A hole takes no room on the disk, and this one minutes to read.
    const path = bench.path('long');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    const stop = new AbortController();
    const call = pool.sha256(path, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('stopped hashing')), 20);
    await expect(call).rejects.toThrow('stopped hashing');
  });
});

describe('close', () => {
  it('ends what is under way, refuses what comes after, and can be called twice', async () => {
    const closing = createKernelPool({ threads: 2 });
    const task = bench.place(LARGE);
    const call = closing.quantizeRows(task);
    const settled = call.catch((reason: unknown) => reason);
    await closing.close();
    expect(String(await settled)).toContain('The kernel pool was closed');
    expect(openFiles()).toEqual([]);
    await expect(closing.quantizeRows(task)).rejects.toThrow('The kernel pool was closed');
    await expect(closing.sha256(task.source.path)).rejects.toThrow('The kernel pool was closed');
    await closing.close();
  });
});
