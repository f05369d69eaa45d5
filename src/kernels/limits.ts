/**
 * Longest row of a weight, in bytes of the source. Eight rows with all that comes of them must fit
 * the kernels' 64 MB of memory; it is twenty times the widest layer published so far.
 */
export const MAX_ROW_BYTES = 4 * 1024 * 1024;

/** Rows of that length that fit; where more share a word of zero points, rows must be shorter. */
export const LONGEST_ROWS = 8;

/**
 * Input that a worker holds at a time. A slab with its codes stays within a core's second-level
 * cache, where the copies from and to the page cache and the kernel's passes are fastest.
 */
export const SLAB_BYTES = 1024 * 1024;

/**
 * Input of one message to a worker. Large enough that messages cost nothing beside the work, small
 * enough that threads finish a weight together and an abort is heard within milliseconds.
 */
export const PIECE_BYTES = 8 * 1024 * 1024;

/** Rows whose packed zero points end with a word, whatever their bits: pieces begin at multiples. */
export const ROW_UNIT = 32;
