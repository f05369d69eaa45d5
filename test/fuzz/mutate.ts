import type { Draw } from './fuzz.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  '..',
  '../../../../etc/passwd',
  '/etc/passwd',
  'C:\\con',
  '%2e%2e%2f',
  '\uD800',
  'é'.normalize('NFD'),
  '__proto__',
  'constructor',
  'toString',
  '<!--',
  '$(reboot)',
  '1e999',
  'NaN',
  'null',
  's3://',
  's3://models/..',
  's3://../x',
  'arn:aws:iam::000000000000:role/',
  'arn:aws:kms:us-east-1:000000000000:key/',
  'a'.repeat(70),
  'x'.repeat(5_000),
  '\u202eabc',
] as const;
const ODD_NUMBERS = [
  0,
  -1,
  1,
  2,
  7,
  0.5,
  -0,
  255,
  256,
  65_536,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e308,
  5e-324,
] as const;

/** A value of any kind, mostly one that somebody forgot about. */
export function oddValue(draw: Draw): Json {
  switch (draw.below(8)) {
    case 0:
      return draw.of([null, true, false]);
    case 1:
    case 2:
      return draw.of(ODD_NUMBERS);
    case 3:
    case 4:
      return draw.of(ODD_TEXTS);
    case 5:
      return draw.of<Json>([[], {}, [[]], [null], { a: 1 }]);
    case 6:
      return nest(draw.of([3, 40, 70, 200]), draw.chance(0.5));
    default:
      return Array.from({ length: draw.of([1, 51, 300]) }, () => 'x');
  }
}

function nest(depth: number, inList: boolean): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = inList ? [value] : { a: value };
  return value;
}

/** A value with one to four things in it changed: replaced, removed, renamed, doubled. */
export function mutateJson(draw: Draw, base: Json): Json {
  let value = structuredClone(base);
  for (let count = 1 + draw.below(4); count > 0; count -= 1) value = mutateOnce(draw, value);
  return value;
}

function mutateOnce(draw: Draw, value: Json): Json {
  const isLeaf = value === null || typeof value !== 'object';
  if (isLeaf || draw.chance(0.1)) return mutateLeaf(draw, value);
  if (Array.isArray(value)) {
    if (value.length === 0) return [oddValue(draw)];
    const at = draw.below(value.length);
    const element = value[at] ?? null;
    const act = draw.below(10);
    if (act === 0) value.splice(at, 1);
    else if (act === 1) value.push(structuredClone(element));
    else value[at] = mutateOnce(draw, element);
    return value;
  }
  const keys = Object.keys(value);
  const key = keys[draw.below(keys.length)];
  if (key === undefined || draw.chance(0.05))
    return { ...value, [draw.of(ODD_TEXTS)]: oddValue(draw) };
  const { [key]: member = null, ...rest } = value;
  if (draw.chance(0.1)) return rest;
  if (draw.chance(0.1)) return { ...rest, [draw.of(ODD_TEXTS)]: member };
  return { ...value, [key]: mutateOnce(draw, member) };
}

function mutateLeaf(draw: Draw, value: Json): Json {
  if (typeof value === 'number' && draw.chance(0.5)) {
    return draw.of([value + 1, value - 1, -value, value * 2, value / 3, value * 1e6]);
  }
  if (typeof value === 'string' && draw.chance(0.4)) {
    const at = draw.below(value.length + 1);
    return value.slice(0, at) + draw.of(ODD_TEXTS) + value.slice(at + draw.below(3));
  }
  return oddValue(draw);
}

/** Bytes with one to four pieces flipped, cut, doubled, replaced or put in. */
export function mutateBytes(draw: Draw, base: Buffer): Buffer {
  let bytes = Buffer.from(base);
  for (let count = 1 + draw.below(4); count > 0; count -= 1) {
    const at = draw.below(bytes.length + 1);
    const length = draw.of([1, 1, 2, 8, 100]);
    const piece = bytes.subarray(at, at + length);
    const made = Buffer.from(
      Array.from({ length }, () => draw.of([0, 1, 0x7f, 0x80, 0xff, 0x22, 0x7b, draw.below(256)])),
    );
    const between = draw.of([
      made,
      Buffer.alloc(0),
      Buffer.concat([piece, piece]),
      flipped(draw, piece),
    ]);
    bytes = draw.chance(0.1)
      ? bytes.subarray(0, at)
      : Buffer.concat([bytes.subarray(0, at), between, bytes.subarray(at + length)]);
  }
  return bytes;
}

function flipped(draw: Draw, piece: Buffer): Buffer {
  return Buffer.from(piece.map((byte) => byte ^ (1 << draw.below(8))));
}

/** A text without halves of surrogate pairs, as an encoder of URLs wants it. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** A text with something odd put into it. */
export function mutateText(draw: Draw, base: string): string {
  return String(mutateLeaf(draw, base));
}
