import { execFile } from 'node:child_process';
import { isIPv4 } from 'node:net';
import { promisify } from 'node:util';

/** A line of a routing table: packets for a range are passed on, or refused. */
export interface Route {
  readonly kind: 'unicast' | 'unreachable';
  /** An IPv4 range, ADDRESS/PREFIX. */
  readonly to: string;
}

/**
 * The network between a step and the machine. It is of a range for benchmarks of network devices
 * (RFC 2544), in which there are no machines that somebody could want to reach.
 */
export const UPLINK_RANGE = '198.18.255.0/24';

/** Ranges that no packet is ever passed on to: this network, loopback, multicast and reserved ones. */
const IMPOSSIBLE = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/3', UPLINK_RANGE].map(rangeOf);

/** Where clouds keep the credentials of the machine itself, among others. */
const LINK_LOCAL = '169.254.0.0/16';

interface Range {
  /** The first address, as a number. */
  readonly first: number;
  readonly prefix: number;
}

/**
 * The entries of security groups that a step's routes can't stand for: all but IPv4 addresses and
 * ranges, and ranges within those that lead nowhere.
 */
export function impossibleDestinations(allows: readonly string[]): readonly string[] {
  return allows.filter((entry) => {
    const range = parseRange(entry);
    return range === undefined || IMPOSSIBLE.some((other) => isWithin(range, other));
  });
}

/**
 * What is passed on for a step and what is not, where the narrowest range decides. The machine's own
 * addresses are out of reach unless each is named by itself, and link-local ones unless a range of
 * theirs is named: a group that allows the whole internet allows neither.
 *
 * @param allows IPv4 addresses and ranges
 * @param own the machine's own addresses and ranges
 */
export function routesTo(allows: readonly string[], own: readonly string[]): readonly Route[] {
  const open = new Set(allows.map((entry) => format(rangeOf(entry))));
  const closed = new Set([UPLINK_RANGE, LINK_LOCAL, ...own].map((range) => format(rangeOf(range))));
  return [
    ...[...open].map((to): Route => ({ kind: 'unicast', to })),
    ...[...closed].filter((to) => !open.has(to)).map((to): Route => ({ kind: 'unreachable', to })),
  ];
}

/** The IPv4 addresses and ranges that the kernel takes for this machine's own, whatever device has them. */
export async function ownAddresses(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ip', ['-4', 'route', 'show', 'table', 'local']);
  return stdout.split('\n').flatMap((line) => {
    const [type, destination] = line.split(' ');
    return type === 'local' && destination !== undefined ? [destination] : [];
  });
}

function parseRange(text: string): Range | undefined {
  const [, address = '', digits = '32'] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (!isIPv4(address) || prefix > 32) return undefined;
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return { first: number - (number % 2 ** (32 - prefix)), prefix };
}

function rangeOf(text: string): Range {
  const range = parseRange(text);
  if (range === undefined) throw new RangeError(`${text} is no IPv4 address or range.`);
  return range;
}

function isWithin(inner: Range, outer: Range): boolean {
  const size = 2 ** (32 - outer.prefix);
  return inner.prefix >= outer.prefix && inner.first - (inner.first % size) === outer.first;
}

function format({ first, prefix }: Range): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join('.')}/${prefix}`;
}
