import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isJsonObject, type JsonObject, type JsonValue } from '../../checkpoint/json.js';
import type { Checkpoint } from '../../checkpoint/open.js';
import type { SafetensorsFile } from '../../checkpoint/safetensors/reader.js';
import { REPORT_FILE } from '../report/types.js';
import { burnishVersion } from '../report/versions.js';

/** What finished layers depend on. Layers are reused only where all of it is the same. */
export interface Fingerprint {
  /** Another version of the program may round otherwise. */
  readonly program: string;
  /** Every setting with its value. */
  readonly settings: Readonly<Record<string, string>>;
  /** Digest of each file of the source, by name. */
  readonly source: Readonly<Record<string, string>>;
  /** Digest of the tokens that the model is calibrated with; null where there are none. */
  readonly calibration: string | null;
}

/** Bytes that are looked at in three places of every tensor. Training, merging or rounding a model anew
 * changes nearly every number of it; reading all of it would take as long as the work itself. */
const SAMPLE_BYTES = 4096;

/** Files other than weights are read whole up to this size; tokenizers have tens of megabytes. */
const MAX_WHOLE_BYTES = 128 * 1024 * 1024;

/** Takes the fingerprint of a step's source, settings and calibration. Sizes, headers, and all files but
 * the weights are looked at whole; of the weights, the beginning, the middle and the end of every
 * tensor.
 * @throws the signal's reason when it aborts. */
export async function takeFingerprint(
  checkpoint: Checkpoint,
  settings: Readonly<Record<string, string>>,
  sequences: readonly Int32Array[] | undefined,
  signal: AbortSignal,
): Promise<Fingerprint> {
  const source: [name: string, digest: string][] = [];
  const shards = new Map(checkpoint.shards.map((shard) => [shard.file, shard]));
  for (const { name, path, size } of checkpoint.files) {
    // It tells when and how fast a step before this one was, and no weight depends on it.
    if (name === REPORT_FILE) continue;
    // Lets a signal through.
    await setImmediate();
    signal.throwIfAborted();
    const hash = createHash('sha256').update(`${size}\n`);
    const shard = shards.get(name);
    if (shard === undefined) readPieces(path, wholeOrSampled(size), hash);
    else sampleWeights(shard, hash);
    source.push([name, hash.digest('hex')]);
  }
  return {
    program: burnishVersion(),
    settings: { ...settings },
    source: Object.fromEntries(source),
    calibration: sequences === undefined ? null : digestSequences(sequences),
  };
}

interface Piece {
  readonly offset: number;
  readonly length: number;
}

function samplesOf({ offset, length }: Piece): readonly Piece[] {
  if (length <= 3 * SAMPLE_BYTES) return [{ offset, length }];
  const middle = offset + Math.floor((length - SAMPLE_BYTES) / 2);
  return [offset, middle, offset + length - SAMPLE_BYTES].map((at) => ({
    offset: at,
    length: SAMPLE_BYTES,
  }));
}

function wholeOrSampled(size: number): readonly Piece[] {
  const whole = { offset: 0, length: size };
  return size <= MAX_WHOLE_BYTES ? [whole] : samplesOf(whole);
}

function sampleWeights({ path, tensors }: SafetensorsFile, hash: Hash): void {
  for (const { name, dtype, shape, offset } of tensors) {
    hash.update(`${JSON.stringify([name, dtype, shape, offset])}\n`);
  }
  readPieces(path, tensors.flatMap(samplesOf), hash);
}

/** Reads without waiting for each piece, which would take longer than the reading. */
function readPieces(path: string, pieces: readonly Piece[], hash: Hash): void {
  const descriptor = openSync(path, 'r');
  try {
    for (const { offset, length } of pieces) {
      const bytes = new Uint8Array(length);
      const read = readSync(descriptor, bytes, 0, length, offset);
      hash.update(bytes.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}

function digestSequences(sequences: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const ids of sequences) {
    hash.update(`${ids.length}\n`);
    hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  }
  return hash.digest('hex');
}

/** What is not as it was, in words; undefined where all is the same. */
export function differenceOf(before: Fingerprint, now: Fingerprint): string | undefined {
  if (before.program !== now.program) {
    return `they were made by version ${before.program} of the optimizer, and this is ${now.program}`;
  }
  const setting = differingKey(before.settings, now.settings);
  if (setting !== undefined) {
    return `${setting} was ${before.settings[setting] ?? 'not set'} and is ${now.settings[setting] ?? 'not set'}`;
  }
  const file = differingKey(before.source, now.source);
  if (file !== undefined) {
    if (now.source[file] === undefined) return `the source has no ${file} any more`;
    return before.source[file] === undefined
      ? `${file} is new in the source`
      : `${file} of the source was changed`;
  }
  if (before.calibration !== now.calibration) return 'the text to calibrate with was changed';
  return undefined;
}

function differingKey(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string | undefined {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].sort().find((key) => before[key] !== now[key]);
}

/** A fingerprint as it was written down; undefined for anything else. */
export function readFingerprint(value: JsonValue | undefined): Fingerprint | undefined {
  if (!isJsonObject(value)) return undefined;
  const { program, settings, source, calibration } = value;
  if (typeof program !== 'string' || !isStrings(settings) || !isStrings(source)) return undefined;
  if (calibration !== null && typeof calibration !== 'string') return undefined;
  return { program, settings, source, calibration };
}

function isStrings(value: JsonValue | undefined): value is JsonObject & Record<string, string> {
  return isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string');
}
