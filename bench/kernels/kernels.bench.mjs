// Speed of the kernels. First each kernel alone, on one thread and data in memory; then whole
// files through the pool against `cp` of the same file, turn by turn in the same run. Prints GB of
// input a second (medians; GB = 10^9 bytes).
//
//   node scripts/build.mjs && node bench/kernels/kernels.bench.mjs [--size MB] [--rounds N] [--folder DIR]
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createKernelPool,
  encodedLayout,
  FLOAT_BYTES,
  scalesPerRow,
} from '#burnish/kernels/index.js';
import { compileKernels, Kernels } from '#burnish/kernels/kernel-module.js';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const fileBytes = Number(values.size) * 2 ** 20;
const rounds = Number(values.rounds);

const integer = (bits, groupSize, symmetric = true, packed = true) => ({
  type: 'int',
  bits,
  strategy: groupSize ? 'group' : 'channel',
  groupSize,
  symmetric,
  packed,
});
const SCHEMES = {
  'FP8, a channel': { type: 'float', bits: 8, strategy: 'channel' },
  'int8 W8A8, a channel': integer(8, undefined, true, false),
  'int8, group 128': integer(8, 128),
  'int4, group 128': integer(4, 128),
  'int4, group 32': integer(4, 32),
  'int4, a channel': integer(4),
  'int4, group 128, zero point': integer(4, 128, false),
};
const COLUMNS = 4096;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const seconds = async (work) => {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
};
const show = (name, bytes, times) =>
  console.log(`  ${name.padEnd(38)} ${(bytes / median(times) / 1e9).toFixed(2).padStart(6)} GB/s`);

/** Fills bytes with normally distributed weights, as layers have them. */
function fillWeights(bytes, type) {
  const bits = new Uint32Array(1);
  const single = new Float32Array(bits.buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += FLOAT_BYTES[type]) {
    const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
    single[0] = 0.02 * radius * Math.cos(2 * Math.PI * Math.random());
    if (type === 'F32') view.setUint32(at, bits[0], true);
    else if (type === 'BF16') view.setUint16(at, bits[0] >>> 16, true);
    else {
      const magnitude = Math.max(0, (bits[0] & 0x7fffffff) - 0x38000000);
      view.setUint16(at, ((bits[0] >>> 31) << 15) | (magnitude >>> 13), true);
    }
  }
}

function benchKernels() {
  const bytes = 512 * 1024;
  const kernels = new Kernels(compileKernels());
  for (const type of ['BF16', 'F16', 'F32']) {
    console.log(`\nKernel alone, ${type}, one thread, ${bytes / 1024} KB slabs`);
    const rows = bytes / FLOAT_BYTES[type] / COLUMNS;
    const source = new Uint8Array(bytes);
    fillWeights(source, type);
    for (const [name, scheme] of Object.entries(SCHEMES)) {
      const layout = encodedLayout(scheme, rows, COLUMNS, 'BF16');
      const [input, codes, rowCodes, scales, zeroPoints] = kernels.layOut([
        bytes,
        layout.codes.bytes + 64,
        COLUMNS + 64,
        layout.scales.bytes,
        rows * scalesPerRow(scheme, COLUMNS),
      ]);
      kernels.bytes(input).set(source);
      const slab = { sourceType: type, scheme, scaleType: 'BF16', rows, columns: COLUMNS };
      const places = { source: input, codes, rowCodes, scales, zeroPoints };
      const times = [];
      // The first turns run in code that is still being optimized.
      for (let turn = 0; turn < 400; turn++) {
        const start = process.hrtime.bigint();
        kernels.quantizeSlab({ ...slab, ...places });
        if (turn >= 100) times.push(Number(process.hrtime.bigint() - start) / 1e9);
      }
      show(name, bytes, times);
    }
  }
}

function createFile(path, bytes) {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

async function benchFiles() {
  const folder = mkdtempSync(join(values.folder, 'burnish-kernels-'));
  const pool = createKernelPool();
  const single = createKernelPool({ threads: 1 });
  try {
    const source = join(folder, 'source');
    const block = new Uint8Array(32 * 2 ** 20);
    fillWeights(block, 'BF16');
    const fd = openSync(source, 'w');
    for (let at = 0; at < fileBytes; at += block.length) writeSync(fd, block);
    closeSync(fd);

    const target = join(folder, 'target');
    /** The file as weights of 32 MB, all outputs in one new file. */
    const quantize = async (scheme, on) => {
      const rows = block.length / 2 / COLUMNS;
      const { codes, scales, zeroPoints } = encodedLayout(scheme, rows, COLUMNS, 'BF16');
      const weightBytes = codes.bytes + scales.bytes + (zeroPoints?.bytes ?? 0);
      const weights = fileBytes / block.length;
      createFile(target, weights * weightBytes);
      const range = (offset, length) => ({ path: target, offset, length });
      await Promise.all(
        Array.from({ length: weights }, (_, i) => {
          const start = i * weightBytes;
          return on.quantizeRows({
            name: `weight.${i}`,
            source: { path: source, offset: i * block.length, length: block.length },
            sourceType: 'BF16',
            rows,
            columns: COLUMNS,
            scheme,
            scaleType: 'BF16',
            codes: range(start, codes.bytes),
            scales: range(start + codes.bytes, scales.bytes),
            ...(zeroPoints && {
              zeroPoints: range(start + codes.bytes + scales.bytes, zeroPoints.bytes),
            }),
          });
        }),
      );
    };
    const copy = async (on) => {
      createFile(target, fileBytes);
      await on.copyRange({
        name: 'all',
        source: { path: source, offset: 0, length: fileBytes },
        target: { path: target, offset: 0, length: fileBytes },
        checkFinite: 'BF16',
      });
    };
    const contenders = {
      cp: () => execFileSync('cp', [source, target]),
      'copyRange, checked for NaN': () => copy(pool),
      ...Object.fromEntries(
        Object.entries(SCHEMES).map(([name, scheme]) => [name, () => quantize(scheme, pool)]),
      ),
      'int4, group 128, one thread': () => quantize(SCHEMES['int4, group 128'], single),
      'FP8, a channel, one thread': () => quantize(SCHEMES['FP8, a channel'], single),
      'sha256 of the source, one thread': () => pool.sha256(source),
    };
    const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, run] of Object.entries(contenders)) {
        rmSync(target, { force: true });
        const taken = await seconds(run);
        if (round > 0) times[name].push(taken);
      }
    }
    console.log(
      `\nFile to file, ${fileBytes / 2 ** 20} MB of BF16, ${availableParallelism()} threads, ${rounds} rounds`,
    );
    const cp = median(times.cp);
    for (const [name, taken] of Object.entries(times)) {
      show(`${name} (${(cp / median(taken)).toFixed(2)} × cp)`, fileBytes, taken);
    }
    console.log(`  peak resident memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  } finally {
    await pool.close();
    await single.close();
    rmSync(folder, { recursive: true });
  }
}

console.log(`${cpus()[0]?.model}, ${availableParallelism()} threads, Node ${process.version}`);
benchKernels();
await benchFiles();
