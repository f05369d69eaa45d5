import type { ObjectLocation } from './s3-uri.js';

/** Below an output location: what jobs that did not come to their end have left, one folder each. It is in
 * nobody's way: a location that holds nothing else is empty for the next job. */
export const PARTIAL_FOLDER = 'partial';

/** Where the partial model of a job goes. */
export function partialLocation({ bucket, key }: ObjectLocation, job: string): ObjectLocation {
  return { bucket, key: `${key === '' ? '' : `${key}/`}${PARTIAL_FOLDER}/${job}` };
}
