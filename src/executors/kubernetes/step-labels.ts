import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import { formatS3Uri } from '../../objects/s3-uri.js';
import type { StepPlace } from '../executor.js';
import type { KubernetesOptions } from './kubernetes-options.js';

/** The container of a step's program. */
export const CONTAINER = 'step';
/** The container that fetches a model, where that of the step's program does not itself. */
export const FETCH_CONTAINER = 'fetch';
/** The image that the job asked for, where a mapping has made it another one. */
export const IMAGE_ANNOTATION = 'burnish.dev/image';

/**
 * The labels by which everything of a step is found again: whose step it is, and of which service, since
 * several may use one namespace. All nodes of one service have one folder of work, wherever each of them
 * has mounted it, or one staging location.
 */
export function stepLabels(
  { job, step, folders }: Pick<StepPlace, 'job' | 'step' | 'folders'>,
  storage: KubernetesOptions['storage'],
): Readonly<Record<string, string>> {
  const own =
    storage.kind === 's3'
      ? formatS3Uri(storage.staging)
      : `${storage.claim}/${relative(storage.root, dirname(dirname(folders.root)))}`;
  const service = createHash('sha256').update(own).digest('hex').slice(0, 16);
  return {
    'app.kubernetes.io/managed-by': 'burnish',
    'burnish.dev/service': service,
    'burnish.dev/job': job,
    'burnish.dev/step': String(step + 1),
  };
}

/** A label selector, as the API takes it. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
