/** A model cannot be compiled as it was asked for. The message says what is in the way. */
export class CompilationError extends Error {
  override readonly name = 'CompilationError';
}
