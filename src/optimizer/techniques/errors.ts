/** Statistics, weights or settings that do not fit each other. */
export class TechniqueError extends Error {
  override readonly name = 'TechniqueError';

  constructor(
    /** The family or layer. */
    readonly subject: string,
    readonly problem: string,
  ) {
    super(`${subject}: ${problem}`);
  }
}
