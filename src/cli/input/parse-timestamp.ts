import { Decimal, type InputValue } from './input-value.js';

/** The years that a timestamp may have; the same bounds as in the AWS CLI. */
const MIN_SECONDS = Date.parse('0001-01-01T00:00:00Z') / 1000;
const MAX_SECONDS = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** Any beginning of at least three letters stands for the month. */
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

const TIME = String.raw`(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,]\d+)?)?`;
const ZONE = String.raw`\s*(?<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?`;
const MONTH_NAME = '(?<monthName>[a-z]{3,9})';
const WEEKDAY = String.raw`(?:[a-z]{3,9},?\s+)?`;
const COMPACT_TIME = String.raw`(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})(?:[.,]\d+)?`;

/** Source: ISO 8601, RFC 5322 section 3.3; and the date orders that people write by hand. */
const FORMATS: readonly RegExp[] = [
  String.raw`(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?:(?:T|\s+)${TIME}${ZONE})?`,
  String.raw`(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})T${COMPACT_TIME}${ZONE}`,
  String.raw`${WEEKDAY}(?<day>\d{1,2})[\s-]+${MONTH_NAME}[\s-]+(?<year>\d{4})(?:\s+${TIME}${ZONE})?`,
  String.raw`${WEEKDAY}${MONTH_NAME}\s+(?<day>\d{1,2}),?\s+(?<year>\d{4})(?:,?\s+${TIME}${ZONE})?`,
].map((format) => new RegExp(`^\\s*${format}\\s*$`, 'i'));

/**
 * The time that a parameter means, in whole seconds since the epoch, which is what the AWS CLI
 * sends. Numbers, and text that is a number, are seconds since the epoch; a time without a zone is
 * UTC. Undefined where it is no time.
 */
export function parseTimestamp(value: InputValue): number | undefined {
  // A boolean is a number in Python, so the AWS CLI takes it for one.
  if (typeof value === 'number' || typeof value === 'boolean') return inRange(Number(value));
  if (value instanceof Decimal) return inRange(value.value);
  if (typeof value !== 'string') return undefined;
  const epoch = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)
    ? Number(value)
    : undefined;
  if (epoch !== undefined) return inRange(epoch);
  for (const format of FORMATS) {
    const fields = format.exec(value)?.groups;
    if (fields !== undefined) return secondsOf(fields);
  }
  return undefined;
}

const inRange = (seconds: number): number | undefined =>
  seconds >= MIN_SECONDS && seconds <= MAX_SECONDS ? Math.floor(seconds) : undefined;

function secondsOf(fields: Readonly<Record<string, string | undefined>>): number | undefined {
  const number = (name: string) => Number(fields[name] ?? 0);
  const month =
    fields.monthName === undefined
      ? number('month') - 1
      : MONTHS.findIndex((name) => name.startsWith(fields.monthName?.toLowerCase() ?? name));
  const [year, day] = [number('year'), number('day')];
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')];
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  // A day that the month doesn't have, or a month that the year doesn't, rolls over.
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  date.setUTCHours(hour, minute, second);
  return inRange(date.getTime() / 1000 - zoneSeconds(fields.zone ?? 'Z'));
}

/** `+02:00` is 7200. */
function zoneSeconds(zone: string): number {
  const offset = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (offset === null) return 0;
  const [, sign, hours, minutes] = offset;
  const seconds = Number(hours) * 3600 + Number(minutes ?? 0) * 60;
  return sign === '-' ? -seconds : seconds;
}
