import { integer, string } from '../../service-model/shape.js';

/** A name, a path, an address: no setting of an executor is longer. */
export const TEXT = string({ minLength: 1, maxLength: 4096 });

/** Whom a program in a container runs as, by numbers: names are the image's own. */
export const USER = string({ pattern: '[0-9]+:[0-9]+' });

/** A size that something can have, in bytes. */
export const BYTES = integer({ min: 1, max: 2 ** 50 });
