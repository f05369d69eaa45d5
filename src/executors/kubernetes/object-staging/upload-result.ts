import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3EndpointStore } from '../../../objects/s3-endpoint-store/s3-endpoint-store.js';
import type { ObjectLocation } from '../../../objects/s3-uri.js';
import { checkStepOutput } from '../../images/check-step-output.js';
import { describeFiles } from '../../staging/describe-files.js';
import type { ResultObject } from '../../step-objects.js';
import { LIST_FILE, podFolders, RESULTS_FOLDER, type StepOrder } from './step-order.js';

/**
 * Sends what a step has made to its folder of the staging location, and the list of it last. Each
 * attempt has a place of its own, so that one whose node was lost is in nobody's way.
 *
 * @throws ExecutorError for what is no file, ObjectStoreError
 */
export async function uploadResult(
  store: S3EndpointStore,
  { step, objects }: StepOrder,
  { bucket, key }: ObjectLocation,
): Promise<void> {
  const { output, temporary } = podFolders(step);
  await checkStepOutput(output);
  const described = await describeFiles(output);
  const folder = `${key}/${RESULTS_FOLDER}/${randomUUID()}`;
  const encryption = objects.encryption === undefined ? {} : { encryption: objects.encryption };
  await store.publishFolder(output, { bucket, key: folder }, encryption);
  const files: ResultObject[] = [];
  for (const { name, sha256 } of described) {
    const { size, etag } = await store.head(bucket, `${folder}/${name}`);
    files.push({ name, bucket, key: `${folder}/${name}`, size, etag, sha256 });
  }
  const lists = join(temporary, 'list');
  await rm(lists, { recursive: true, force: true });
  await mkdir(lists);
  await writeFile(join(lists, LIST_FILE.name), JSON.stringify(files));
  const place = { bucket, key: `${key}/${LIST_FILE.folder}` };
  // A lost attempt may have come this far.
  await store.publishFolder(lists, place, { ...encryption, interrupted: true });
}
