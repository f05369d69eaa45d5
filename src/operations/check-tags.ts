import { validationError } from '../service-model/errors.js';
import type { Tag } from '../store/job-tags.js';

/** AWS allows fifty tags on a resource. */
export const MAX_TAGS = 50;

/**
 * Rules of tags that a shape can't say.
 * @throws ServiceError `ValidationException` for a key given twice, or one that begins with `aws:`
 */
export function checkTags(tags: readonly Tag[]): void {
  const keys = new Set<string>();
  for (const { Key } of tags) {
    if (keys.has(Key)) {
      throw validationError(`The tag key '${Key}' is given more than once; give it once.`);
    }
    keys.add(Key);
    if (Key.toLowerCase().startsWith('aws:')) {
      throw validationError(
        `The tag key '${Key}' begins with 'aws:', which is reserved; choose another key.`,
      );
    }
  }
}
