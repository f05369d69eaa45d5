/** Shorthand that cannot be parsed; the message shows the input with a caret under the place. */
export class ShorthandError extends Error {
  override readonly name = 'ShorthandError';
}

/** Something else stands where `expected` has to. */
export class ShorthandSyntaxError extends ShorthandError {
  constructor(input: string, index: number, expected: string, received: string) {
    super(`Expected: '${expected}', received: '${received}' for input:\n${mark(input, index)}`);
  }
}

/** A key stands twice in one structure. */
export class DuplicateKeyError extends ShorthandError {
  constructor(input: string, index: number, key: string) {
    super(
      `Second instance of key "${key}" encountered for input:\n${mark(input, index)}\n` +
        'This is often because there is a preceding "," instead of a space.',
    );
  }
}

/** The input with a line below the one that holds `index`, a caret in its column. */
function mark(input: string, index: number): string {
  const lineStart = input.lastIndexOf('\n', index - 1) + 1;
  const newline = input.indexOf('\n', index);
  const lineEnd = newline < 0 ? input.length : newline;
  const column = [...input.slice(lineStart, index)].length;
  return `${input.slice(0, lineEnd)}\n${' '.repeat(column)}^${input.slice(lineEnd)}`;
}
