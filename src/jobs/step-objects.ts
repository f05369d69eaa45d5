import { extname } from 'node:path';
import { DATASET_SETTINGS } from '../executors/staging/stage-datasets.js';
import type { StepFolders } from '../executors/step-folders.js';
import { readResultObjects, type StepObjects } from '../executors/step-objects.js';
import { isArchiveKey } from '../objects/archive.js';
import { NothingAtLocationError, ObjectStoreError } from '../objects/errors.js';
import { forEachConcurrently } from '../objects/for-each-concurrently.js';
import type { NamedObject, ObjectStore } from '../objects/object-store.js';
import { formatS3Uri, type ObjectLocation } from '../objects/s3-uri.js';
import type { Step } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import type { JobContext } from './job-context.js';
import { artifactEncryption } from './job-encryption.js';
import { JobFailure } from './job-failure.js';
import { leaveSource } from './stage-source.js';

/** More files than this are no model. */
const MAX_FILES = 100_000;
const LOOKS_AT_ONCE = 8;

interface ObjectStep {
  readonly context: JobContext;
  readonly job: JobRecord;
  readonly step: Step;
  /** Counted from 0. */
  readonly index: number;
  readonly signal: AbortSignal;
}

/**
 * What a step works on where steps take their model from the object store: the job's source, as it is now,
 * or what the step before has left. Each object is looked at under the job's role, so that a pod is handed
 * nothing that the role may not read.
 *
 * @param before the folders of the step before
 * @throws ObjectStoreError, NothingAtLocationError, JobFailure when the step before ran elsewhere
 */
export async function stepObjects(
  { context, job, step, index, signal }: ObjectStep,
  before: StepFolders,
): Promise<StepObjects> {
  const uri = job.request.ModelSource.S3?.S3Uri;
  if (uri === undefined) throw new JobFailure('ModelSource.S3.S3Uri is not set.');
  const { objects, locate, termsFiles } = context;
  const accepted = job.request.ModelSource.S3?.ModelAccessConfig?.AcceptEula === true;
  const keyId = artifactEncryption(job)?.keyId;
  const common = {
    uri,
    datasets: step.image === undefined ? await datasetsOf(objects, locate, step, signal) : {},
    encryption: keyId === undefined ? undefined : { keyId },
  };
  if (index === 0) {
    const model = await listModel(objects, locate(uri), signal);
    await leaveSource(context, job);
    return { ...common, model, termsFiles: accepted ? undefined : termsFiles };
  }
  const model = await readResultObjects(before);
  if (model === undefined) {
    throw new JobFailure(
      'The step before ran before the service was told to leave models in the object store; create the job again.',
    );
  }
  return { ...common, model, termsFiles: undefined };
}

/** The files of a model, or the single archive that a location names, as versions that may be read. */
async function listModel(
  objects: ObjectStore,
  location: ObjectLocation,
  signal: AbortSignal,
): Promise<readonly NamedObject[]> {
  const { bucket, key } = location;
  const single = isArchiveKey(key) && (await archiveAt(objects, location, signal));
  if (single) return [single];
  const prefix = key === '' ? '' : `${key}/`;
  const found: NamedObject[] = [];
  let startAfter: string | undefined;
  do {
    const after = startAfter === undefined ? {} : { startAfter };
    const page = await objects.list(bucket, { prefix, signal, ...after });
    for (const { key: own, size, etag } of page.objects) {
      const name = own.slice(prefix.length);
      // The empty object that some clients put where a folder is.
      if ((name === '' || name.endsWith('/')) && size === 0) continue;
      found.push({ name, bucket, key: own, size, etag });
    }
    if (found.length > MAX_FILES) {
      throw new JobFailure(`There are more than ${MAX_FILES} objects at ${formatS3Uri(location)}.`);
    }
    startAfter = page.nextStartAfter;
  } while (startAfter !== undefined);
  if (found.length === 0) throw new NothingAtLocationError(location);
  await forEachConcurrently(found, LOOKS_AT_ONCE, async (object) => {
    const { etag } = await versionOf(objects, object, object.name, signal);
    if (etag !== object.etag) throw changed(object);
  });
  return found;
}

/** The archive of that very key; undefined where that is the name of a folder. */
async function archiveAt(objects: ObjectStore, location: ObjectLocation, signal: AbortSignal) {
  try {
    return await versionOf(objects, location, '', signal);
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'NoSuchKey') return undefined;
    throw error;
  }
}

async function datasetsOf(
  objects: ObjectStore,
  locate: (uri: string) => ObjectLocation,
  { environment }: Step,
  signal: AbortSignal,
): Promise<Readonly<Record<string, NamedObject>>> {
  const datasets: Record<string, NamedObject> = {};
  for (const setting of DATASET_SETTINGS) {
    const uri = environment[setting];
    if (uri === undefined) continue;
    const location = locate(uri);
    // The ending tells the format.
    const name = `${setting}${extname(location.key)}`;
    datasets[setting] = await versionOf(objects, location, name, signal);
  }
  return datasets;
}

async function versionOf(
  objects: ObjectStore,
  { bucket, key }: ObjectLocation,
  name: string,
  signal: AbortSignal,
): Promise<NamedObject> {
  const { size, etag } = await objects.head(bucket, key, { signal });
  return { name, bucket, key, size, etag };
}

const changed = (object: ObjectLocation) =>
  new JobFailure(
    `The source was changed while the job read it: ${formatS3Uri(object)}. Create the job again when the source is at rest.`,
  );
