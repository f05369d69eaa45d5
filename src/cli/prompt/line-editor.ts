/** A line of text that is being typed, and what the keys do to it. */
export interface Line {
  readonly text: string;
  /** Between 0 and the length of the text, never inside a surrogate pair. */
  readonly cursor: number;
}

/** A key as `node:readline` reports it. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
}

export const endOf = (text: string): Line => ({ text, cursor: text.length });

/** The line after a key; undefined where the key means nothing to a line. */
export function edit(line: Line, key: Key): Line | undefined {
  const command = key.ctrl === true ? CONTROL_KEYS[key.name ?? ''] : PLAIN_KEYS[key.name ?? ''];
  if (command !== undefined) return command(line);
  const typed = key.sequence ?? '';
  const isText = key.ctrl !== true && key.meta !== true && !/\p{Cc}/u.test(typed);
  return isText && typed !== '' ? insert(line, typed) : undefined;
}

export function insert({ text, cursor }: Line, typed: string): Line {
  return {
    text: text.slice(0, cursor) + typed + text.slice(cursor),
    cursor: cursor + typed.length,
  };
}

const remove = ({ text }: Line, from: number, to: number): Line => ({
  text: text.slice(0, from) + text.slice(to),
  cursor: from,
});

function previous({ text, cursor }: Line): number {
  const before = [...text.slice(0, cursor)];
  return cursor - (before.at(-1)?.length ?? 0);
}

function next({ text, cursor }: Line): number {
  const [after = ''] = text.slice(cursor);
  return cursor + after.length;
}

function wordStart({ text, cursor }: Line): number {
  return text.slice(0, cursor).replace(/\S+\s*$|\s+$/, '').length;
}

const moveTo = (line: Line, cursor: number): Line => ({ ...line, cursor });

type Command = (line: Line) => Line;

const PLAIN_KEYS: Readonly<Record<string, Command>> = {
  backspace: (line) => remove(line, previous(line), line.cursor),
  delete: (line) => remove(line, line.cursor, next(line)),
  left: (line) => moveTo(line, previous(line)),
  right: (line) => moveTo(line, next(line)),
  home: (line) => moveTo(line, 0),
  end: (line) => moveTo(line, line.text.length),
};

const CONTROL_KEYS: Readonly<Record<string, Command>> = {
  a: (line) => moveTo(line, 0),
  e: (line) => moveTo(line, line.text.length),
  b: (line) => moveTo(line, previous(line)),
  f: (line) => moveTo(line, next(line)),
  h: (line) => remove(line, previous(line), line.cursor),
  k: (line) => remove(line, line.cursor, line.text.length),
  u: (line) => remove(line, 0, line.cursor),
  w: (line) => remove(line, wordStart(line), line.cursor),
};
