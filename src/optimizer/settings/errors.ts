/** A setting's name, value or combination is not accepted. The message names the setting, the value and
 * what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(
    /** As the caller wrote it: `OPTION_RTN_BLOCK_SIZE`, or `option.rtn_block_size` from a file. */
    readonly setting: string,
    message: string,
  ) {
    super(message);
  }
}
