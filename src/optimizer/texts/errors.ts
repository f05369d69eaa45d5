/** A text for calibration or evaluation cannot be used. The message names the setting or the file. */
export class TextError extends Error {
  override readonly name = 'TextError';
}
