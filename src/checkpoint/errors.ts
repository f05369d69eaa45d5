/** What is wrong with a checkpoint, and where. */
export interface CheckpointFault {
  /** The file, as its name inside the checkpoint's folder. */
  readonly file?: string;
  /** The tensor the fault is about. */
  readonly tensor?: string;
}

/** A checkpoint cannot be used as it is. The message names the file and, where there is one, the
 * tensor, and says what would make it usable. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly file: string | undefined;
  readonly tensor: string | undefined;

  constructor(message: string, fault: CheckpointFault = {}) {
    const where = [
      ...(fault.file === undefined ? [] : [fault.file]),
      ...(fault.tensor === undefined ? [] : [`tensor ${quoted(fault.tensor)}`]),
    ].join(', ');
    super(where === '' ? message : `${where}: ${message}`);
    this.file = fault.file;
    this.tensor = fault.tensor;
  }
}

/** Longest piece of a checkpoint's own text that a message repeats: enough to find it, too little to
 * flood a log. */
const MAX_QUOTED_LENGTH = 120;

/** Text from a checkpoint made safe to print: control characters escaped, length bounded. */
export function quoted(text: string): string {
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return JSON.stringify(short);
}
