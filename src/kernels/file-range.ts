/** `length` bytes of the file at `path`, from byte `offset`. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}
