/** What runs in a pod for a step whose model is in S3: `fetch` before an image's program, `upload` behind
 * it, or, for the built-in optimizer, `run`: all three in one container, so that also what it saves when it
 * is told to end is sent. Exit status: the optimizer's, 143 when a transfer was told to stop, and 1 for
 * everything else; then the error file, which is the container's last word, says why. */
import { writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import {
  openS3EndpointStore,
  type S3EndpointStore,
} from '../../../objects/s3-endpoint-store/s3-endpoint-store.js';
import { CONTAINER_PATHS } from '../../lmi-container.js';
import { fetchModel } from './fetch-model.js';
import { beating, runOptimizer } from './run-optimizer.js';
import { ORDER_FILE, ORDER_VARIABLE, type OrderPlace, type StepOrder } from './step-order.js';
import { uploadResult } from './upload-result.js';

const STOPPED_STATUS = 143;
/** A node keeps 4,096 bytes of a container's last word. */
const MAX_REASON = 2_000;

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('stopped')));

type Act = (store: S3EndpointStore, order: StepOrder, place: OrderPlace) => Promise<number>;

const ACTS: Readonly<Record<string, Act>> = {
  async fetch(store, order) {
    await fetchModel(store, order, stop.signal);
    return 0;
  },

  async upload(store, order, place) {
    await uploadResult(store, order, place);
    return 0;
  },

  async run(store, order, place) {
    const datasets = await beating('fetching', () => fetchModel(store, order, stop.signal));
    const { status, hasResult } = await runOptimizer(order, datasets, stop.signal);
    if (hasResult) await beating('uploading', () => uploadResult(store, order, place));
    return status;
  },
};

async function main(act: string | undefined): Promise<number> {
  try {
    const run = ACTS[act ?? ''];
    if (run === undefined) throw new Error(`there is no act ${act}`);
    const place = JSON.parse(process.env[ORDER_VARIABLE] ?? '') as OrderPlace;
    const store = await openS3EndpointStore(place);
    const { body } = await store.read(
      place.bucket,
      `${place.key}/${ORDER_FILE.folder}/${ORDER_FILE.name}`,
    );
    return await run(store, JSON.parse(await text(body)) as StepOrder, place);
  } catch (error) {
    const { message } = error as Error;
    console.error(message);
    if (stop.signal.aborted) return STOPPED_STATUS;
    const reason = JSON.stringify({ error: message.slice(0, MAX_REASON) });
    await writeFile(CONTAINER_PATHS.errorFile, reason);
    return 1;
  }
}

process.exitCode = await main(process.argv[2]);
