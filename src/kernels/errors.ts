/** A weight holds NaN or an infinity, so no scale can be given to it. */
export class NonFiniteWeightError extends Error {
  override readonly name = 'NonFiniteWeightError';

  constructor(
    readonly tensor: string,
    readonly row: number,
    readonly column: number,
    /** NaN, Infinity or -Infinity. */
    readonly value: number,
  ) {
    super(
      `Tensor ${tensor} has ${value} at row ${row}, column ${column}: a weight must be finite to be quantized. Repair the source checkpoint, or leave this layer out.`,
    );
  }
}

/** A task that cannot be carried out as it stands: sizes that disagree, a scheme that has no layout. */
export class KernelTaskError extends Error {
  override readonly name = 'KernelTaskError';

  constructor(
    readonly tensor: string,
    readonly problem: string,
  ) {
    super(`Tensor ${tensor}: ${problem}`);
  }
}

/** A file could not be opened, read or written, or ended before the range that was asked for. */
export class KernelFileError extends Error {
  override readonly name = 'KernelFileError';

  constructor(
    readonly path: string,
    /** The system's error code, or 'SHORT_FILE'. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
