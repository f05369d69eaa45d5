import type { ByteRange, ObjectInfo } from '../../objects/object-store.js';
import type { WriteCondition } from '../../objects/served-object-store.js';
import { notImplemented, S3Error } from './s3-error.js';

type Headers = ReadonlyMap<string, string>;

/** Names of the four conditional headers: a request's own, or those on a copy's source. */
export interface ConditionNames {
  readonly match: string;
  readonly noneMatch: string;
  readonly modifiedSince: string;
  readonly unmodifiedSince: string;
}

/** Of reads. */
export const READ_CONDITIONS: ConditionNames = {
  match: 'if-match',
  noneMatch: 'if-none-match',
  modifiedSince: 'if-modified-since',
  unmodifiedSince: 'if-unmodified-since',
};

/** Of the source of a copy. */
export const COPY_CONDITIONS: ConditionNames = {
  match: 'x-amz-copy-source-if-match',
  noneMatch: 'x-amz-copy-source-if-none-match',
  modifiedSince: 'x-amz-copy-source-if-modified-since',
  unmodifiedSince: 'x-amz-copy-source-if-unmodified-since',
};

/**
 * What a request's conditions say of an object, in the order of RFC 9110, section 13.2.2: `failed`
 * answers 412, `unchanged` answers 304 to a read.
 */
export function checkConditions(
  headers: Headers,
  names: ConditionNames,
  info: ObjectInfo,
): 'hold' | 'failed' | 'unchanged' {
  const match = headers.get(names.match);
  const unmodified = parseDate(headers.get(names.unmodifiedSince));
  if (match !== undefined) {
    if (!listsEtag(match, info.etag)) return 'failed';
  } else if (unmodified !== undefined && wholeSeconds(info.lastModified) > unmodified) {
    return 'failed';
  }
  const noneMatch = headers.get(names.noneMatch);
  const modified = parseDate(headers.get(names.modifiedSince));
  if (noneMatch !== undefined) return listsEtag(noneMatch, info.etag) ? 'unchanged' : 'hold';
  if (modified !== undefined && wholeSeconds(info.lastModified) <= modified) return 'unchanged';
  return 'hold';
}

/** A condition of the request does not hold. */
export function preconditionFailed(): S3Error {
  return new S3Error(
    'PreconditionFailed',
    412,
    'At least one of the pre-conditions you specified did not hold',
  );
}

function listsEtag(header: string, etag: string): boolean {
  return header
    .split(',')
    .map((entry) => unquote(entry.trim().replace(/^W\//, '')))
    .some((entry) => entry === '*' || entry === etag);
}

/** An ETag without the quotes around it, if it has them. */
export function unquote(etag: string): string {
  return etag.replace(/^"(.*)"$/, '$1');
}

/** A date that cannot be read is no condition. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** HTTP dates have no fractions of a second. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}

/** The conditions of a request that stores an object. @throws S3Error NotImplemented */
export function writeCondition(headers: Headers): WriteCondition {
  const noneMatch = headers.get('if-none-match');
  const match = headers.get('if-match');
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw notImplemented('An If-None-Match header with anything but *');
  }
  return {
    ...(noneMatch === undefined ? {} : { ifAbsent: true }),
    ...(match === undefined ? {} : { ifMatch: unquote(match) }),
  };
}

/**
 * The one range of bytes that a Range header asks for. Undefined for the whole object: no header,
 * one that cannot be read, several ranges, or an If-Range that does not hold.
 *
 * @throws S3Error InvalidRange for a range outside the object
 */
export function readRange(headers: Headers, info: ObjectInfo): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.get('range')?.trim() ?? '');
  const ifRange = headers.get('if-range');
  if (match === null || (ifRange !== undefined && !listsEtag(ifRange, info.etag))) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, info.size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? info.size - 1 : Math.min(Number(last), info.size - 1);
  if (first !== '' && last !== '' && Number(first) > Number(last)) return undefined;
  if (start > end) {
    throw new S3Error('InvalidRange', 416, 'The requested range is not satisfiable');
  }
  return { start, end };
}
