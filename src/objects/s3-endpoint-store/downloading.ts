import { setTimeout as delay } from 'node:timers/promises';
import { ObjectStoreError } from '../errors.js';
import type { ByteRange, ObjectVersion } from '../object-store.js';
import { asking, type Endpoint, isTransient } from './endpoint.js';
import { tellFault } from './transient-faults.js';

/** Attempts without a byte of progress before a download is given up. */
const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MILLISECONDS = 200;

/**
 * The bytes of a range of one version of an object. After a fault it goes on where it was cut off;
 * if the object was replaced meanwhile, it fails rather than mix two versions.
 *
 * @throws ObjectStoreError PreconditionFailed (replaced), StoreUnavailable, IncompleteBody
 */
export async function* downloadRange(
  endpoint: Endpoint,
  object: ObjectVersion,
  range: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { client, sdk } = endpoint;
  let at = range.start;
  let fruitless = 0;
  while (at <= range.end) {
    const before = at;
    let answered = false;
    try {
      const whole = at === 0 && range.end === object.size - 1;
      const command = new sdk.GetObjectCommand({
        Bucket: object.bucket,
        Key: object.key,
        IfMatch: `"${object.etag}"`,
        // Without a range the SDK verifies the checksum that is kept with the object.
        ...(whole ? {} : { Range: `bytes=${at}-${range.end}` }),
      });
      const { Body } = await client.send(
        command,
        signal === undefined ? {} : { abortSignal: signal },
      );
      answered = true;
      for await (const chunk of (Body ?? []) as AsyncIterable<Uint8Array>) {
        signal?.throwIfAborted();
        at += chunk.byteLength;
        if (at > range.end + 1) throw tooLong(object);
        yield chunk;
      }
    } catch (error) {
      signal?.throwIfAborted();
      fruitless = at > before ? 1 : fruitless + 1;
      // All bytes passed on and a fault behind them: they cannot be taken back.
      const spent = at > range.end || fruitless >= MAX_ATTEMPTS;
      if (spent || !isTransient(error)) {
        await asking(endpoint, object.bucket, object.key, () => Promise.reject(error));
      }
      // One that no answer came to was told already.
      if (answered) tellFault(error);
      await delay(FIRST_PAUSE_MILLISECONDS * 2 ** fruitless, undefined, { signal });
      continue;
    }
    if (at > before) fruitless = 0;
    else if (++fruitless >= MAX_ATTEMPTS) throw cutShort(object, at);
    if (at <= range.end) tellFault(cutShort(object, at));
  }
}

function tooLong({ bucket, key, size }: ObjectVersion): ObjectStoreError {
  return new ObjectStoreError(
    'StoreUnavailable',
    `The endpoint sent more than the ${size} bytes of ${JSON.stringify(`${bucket}/${key}`)}`,
  );
}

function cutShort({ bucket, key, size }: ObjectVersion, at: number): ObjectStoreError {
  return new ObjectStoreError(
    'IncompleteBody',
    `The endpoint sent only ${at} of the ${size} bytes of ${JSON.stringify(`${bucket}/${key}`)}`,
  );
}
