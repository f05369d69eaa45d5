import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ObjectStoreError } from '../../objects/errors.js';
import type { ObjectStore, ReadOptions } from '../../objects/object-store.js';
import type { ObjectLocation } from '../../objects/s3-uri.js';
import type { EnvironmentMap } from '../../service-model/techniques.js';
import { ExecutorError } from '../executor.js';

/** Settings whose value is the S3 URI of a text that a step reads. */
export const DATASET_SETTINGS = ['OPTION_CALIB_DATASET', 'OPTION_EVAL_DATASET'] as const;

/** Texts for calibration are megabytes; this much would take days to read through a model. */
const MAX_DATASET_BYTES = 1024 ** 3;

/**
 * Copies the texts that a step's settings name into a folder of the job.
 *
 * @returns for each setting that names one, the path of the copy; it keeps the object's ending,
 * which tells its format
 * @throws ExecutorError for an object over the limit, ObjectStoreError for one that cannot be read,
 *   from the start or half-way; both name the setting
 */
export async function stageDatasets(
  objects: ObjectStore,
  locate: (uri: string) => ObjectLocation,
  environment: EnvironmentMap,
  folder: string,
  options: Omit<ReadOptions, 'range'>,
): Promise<Readonly<Record<string, string>>> {
  const staged: Record<string, string> = {};
  for (const setting of DATASET_SETTINGS) {
    const uri = environment[setting];
    if (uri === undefined) continue;
    const { bucket, key } = locate(uri);
    const path = join(folder, `${setting}${extname(key)}`);
    try {
      const { info, body } = await objects.read(bucket, key, options);
      if (info.size > MAX_DATASET_BYTES) {
        body.destroy();
        throw new ExecutorError(
          `${setting}: ${uri} has ${info.size} bytes; the most is ${MAX_DATASET_BYTES}. Give a part of it.`,
        );
      }
      await mkdir(folder, { recursive: true });
      await pipeline(body, createWriteStream(path), {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      const problem = `${setting}: ${uri} cannot be read: ${error.message}`;
      throw new ObjectStoreError(error.code, problem, { cause: error });
    }
    staged[setting] = path;
  }
  return staged;
}
