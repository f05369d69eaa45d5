import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3EndpointStore } from '../../../objects/s3-endpoint-store/s3-endpoint-store.js';
import { ExecutorError } from '../../executor.js';
import { findLicenseTerms, licenseRefusal } from '../../staging/license-terms.js';
import { createStepFolders } from '../../step-folders.js';
import { POD_INPUT, POD_ROOT, podFolders, type StepOrder } from './step-order.js';

/**
 * Makes a step's folders in its pod: the model, as the service listed it, and what settings name.
 *
 * @returns for each setting that names a text, the path of its copy
 * @throws ObjectStoreError when an object is not as it was listed any more, ExecutorError for licence
 * terms that nobody has accepted
 */
export async function fetchModel(
  store: S3EndpointStore,
  { step, objects }: StepOrder,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { model, datasets, termsFiles, uri } = objects;
  await createStepFolders(podFolders(step));
  const target = join(POD_ROOT, 'fetched');
  await rm(target, { recursive: true, force: true });
  await mkdir(target);
  const staged = await store.stageObjects(model, target, { signal });
  const terms = termsFiles && (await findLicenseTerms(staged.path, termsFiles));
  if (terms !== undefined) throw new ExecutorError(licenseRefusal(uri, terms));
  await rm(POD_INPUT, { recursive: true, force: true });
  // In an archive the model may be a folder of its own.
  await rename(staged.path, POD_INPUT);
  const texts = join(podFolders(step).root, 'datasets');
  await store.stageObjects(Object.values(datasets), texts, { signal });
  return Object.fromEntries(
    Object.entries(datasets).map(([setting, { name }]) => [setting, join(texts, name)]),
  );
}
