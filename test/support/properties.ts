import fc from 'fast-check';
import { SEED } from './seed.js';

fc.configureGlobal({ seed: SEED });

/** fast-check, drawing from the tests' seed. */
export { fc };
