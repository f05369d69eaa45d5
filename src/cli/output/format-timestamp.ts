import { CliError, EXIT_STATUS } from './errors.js';
import { roundHalfEven } from './round-half-even.js';
import { ExactNumber, type WireValue } from './wire-value.js';

/**
 * Writes a time in ISO 8601 in the local time zone, with microseconds where there are any:
 * `2024-01-01T00:00:00.123000+00:00`.
 *
 * @param value seconds since the epoch, as a number or as text, or a date as text
 * @throws CliError where it is none of those.
 */
export function formatTimestamp(value: WireValue): string {
  const seconds = secondsOf(value);
  if (seconds === undefined || !Number.isFinite(seconds)) {
    throw new CliError(`Invalid timestamp "${String(value)}"`, EXIT_STATUS.failure);
  }
  let whole = Math.floor(seconds);
  let micros = roundHalfEven((seconds - whole) * 1e6);
  if (micros === 1_000_000) {
    whole += 1;
    micros = 0;
  }
  const date = new Date(whole * 1000);
  if (Number.isNaN(date.getTime())) {
    throw new CliError(`Invalid timestamp "${String(value)}"`, EXIT_STATUS.failure);
  }
  const day = [pad(date.getFullYear(), 4), pad(date.getMonth() + 1), pad(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part));
  const fraction = micros === 0 ? '' : `.${pad(micros, 6)}`;
  return `${day}T${time.join(':')}${fraction}${offsetText(-date.getTimezoneOffset())}`;
}

function secondsOf(value: WireValue): number | undefined {
  if (typeof value === 'number' || value instanceof ExactNumber) return value.valueOf();
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const seconds = Number(value);
  return Number.isNaN(seconds) ? Date.parse(value) / 1000 : seconds;
}

/** @param minutes east of Greenwich */
function offsetText(minutes: number): string {
  const sign = minutes < 0 ? '-' : '+';
  const size = Math.abs(minutes);
  return `${sign}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

const pad = (number: number, length = 2): string => String(number).padStart(length, '0');
