// What encryption costs in the embedded store: the same bytes written, read and published in clear and
// under a key, in turn, in one process. Reads come from the page cache; writes and publishing are
// synced to the disk.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MasterKey } from '../../dist/encryption/master-key.js';
import { NamedKeys } from '../../dist/encryption/named-keys.js';
import { openEmbeddedStore } from '../../dist/objects/embedded-store/embedded-store.js';
import { openSqliteStore } from '../../dist/store/open-sqlite-store.js';
import { machine, median } from '../support/measure.mjs';

const MIB = 1024 * 1024;
const SIZE = Number(process.env.BURNISH_BENCH_MIB ?? 512) * MIB;
const ROUNDS = 5;
const bucket = 'models';

const folder = await mkdtemp(join(tmpdir(), 'burnish-bench-'));
try {
  await bench();
} finally {
  await rm(folder, { recursive: true });
}

async function bench() {
  console.log(machine());
  const record = await openSqliteStore(':memory:');
  const owner = { region: 'us-east-1', accountId: '000000000000' };
  const keys = new NamedKeys(record.keys, new MasterKey(randomBytes(32)), owner);
  const { id } = await keys.create();
  const objects = await openEmbeddedStore(folder, keys);
  await objects.createBucket(bucket);
  const model = join(folder, 'work', 'model');
  await mkdir(model, { recursive: true });
  const piece = randomBytes(MIB);
  const file = await open(join(model, 'model.safetensors'), 'w');
  for (let at = 0; at < SIZE; at += MIB) await file.write(piece);
  await file.sync();
  await file.close();

  const forms = { 'in clear': {}, encrypted: { encryption: { keyId: id } } };
  const rates = {};
  const note = (act, form, { seconds, processor }) => {
    rates[act] ??= {};
    rates[act][form] ??= { speeds: [], costs: [] };
    rates[act][form].speeds.push(SIZE / 1e6 / seconds);
    rates[act][form].costs.push(processor / (SIZE / 1e9));
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [form, options] of Object.entries(forms)) {
      const key = `written-${form}`;
      const pieces = Array.from({ length: SIZE / MIB }, () => piece);
      const body = Readable.from(pieces);
      const writing = () => objects.write(bucket, key, body, { expectedLength: SIZE, ...options });
      note('write', form, await time(writing));
      note('read', form, await time(() => readAll(objects, key)));
      const result = join(folder, 'work', `result-${round}`);
      const copying = await time(() => cp(model, result, { recursive: true }));
      if (form === 'in clear') note('copy a file, not synced', form, copying);
      const location = { bucket, key: `published-${form}-${round}` };
      note('publish', form, await time(() => objects.publishFolder(result, location, options)));
      const published = `${location.key}/model.safetensors`;
      note('read what was published', form, await time(() => readAll(objects, published)));
      await rm(join(folder, 'buckets', bucket, location.key), { recursive: true });
    }
  }
  for (const [act, byForm] of Object.entries(rates)) {
    for (const [form, { speeds, costs }] of Object.entries(byForm)) {
      const ratio = median(speeds) / median(byForm['in clear'].speeds);
      console.log(
        `${act}, ${form}: ${median(speeds).toFixed(0)} MB/s (${ratio.toFixed(2)}), ${median(costs).toFixed(2)} s of processor time a GB`,
      );
    }
  }
  await record.close();
}

async function readAll(objects, key) {
  const { body } = await objects.read(bucket, key);
  for await (const _chunk of body);
}

async function time(act) {
  const began = performance.now();
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1000, processor: (user + system) / 1e6 };
}
