import { describe, expect, it } from 'vitest';
import { type LogFrame, LogFrameReader } from '#burnish/executors/docker/log-frames.js';
import { engineTimeOf, LogLineWriter } from '#burnish/executors/docker/log-lines.js';
import { fc } from '../../support/properties.js';

const time = (nanoseconds: number) =>
  `2026-01-02T03:04:05.${String(nanoseconds).padStart(9, '0')}Z`;

const frame = (nanoseconds: number, text: string, stream: LogFrame['stream'] = 'stdout') => ({
  stream,
  payload: Buffer.from(`${time(nanoseconds)} ${text}`),
});

function encode({ stream, payload }: LogFrame): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === 'stderr' ? 2 : 1;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe('LogFrameReader', () => {
  it('takes a stream apart however it is cut', () => {
    const frames = [frame(1, 'a\n'), frame(2, '', 'stderr'), frame(3, 'x'.repeat(300))];
    const bytes = Buffer.concat(frames.map(encode));
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const reader = new LogFrameReader();
        const read = places.flatMap((place, index) =>
          reader.push(bytes.subarray(place, places[index + 1] ?? place)),
        );
        expect(read).toEqual(frames);
      }),
    );
  });
});

describe('LogLineWriter', () => {
  it('puts the engine’s time before each line, in place of the program’s own', () => {
    const lines = new LogLineWriter(undefined);
    const frames = [frame(1, 'plain\n'), frame(2, '2026-01-02T03:04:05.678Z own\n', 'stderr')];
    expect(lines.push(frames).toString()).toBe(`${time(1)} plain\n${time(2)} own\n`);
  });

  it('joins what the engine has cut, stream by stream', () => {
    const lines = new LogLineWriter(undefined);
    expect(lines.push([frame(1, 'begin '), frame(2, 'between\n', 'stderr')]).toString()).toBe(
      `${time(2)} between\n`,
    );
    expect(lines.push([frame(3, 'end\n')]).toString()).toBe(`${time(1)} begin end\n`);
    lines.push([frame(4, 'no newline')]);
    expect(lines.end().toString()).toBe(`${time(4)} no newline\n`);
    expect(lines.end()).toHaveLength(0);
  });

  it('goes on behind the last line that the log has', () => {
    const lines = new LogLineWriter(time(2));
    const frames = [frame(1, 'old\n'), frame(2, 'last\n'), frame(3, 'new\n')];
    expect(lines.push(frames).toString()).toBe(`${time(3)} new\n`);
  });

  it('gives a line without an end out in pieces', () => {
    const lines = new LogLineWriter(undefined);
    const piece = 'x'.repeat(16_384);
    const written = Array.from({ length: 40 }, (_, index) => lines.push([frame(index, piece)]));
    expect(Buffer.concat(written).toString().split('\n')).toHaveLength(3);
  });
});

describe('engineTimeOf', () => {
  it('knows the engine’s lines from the service’s', () => {
    expect(engineTimeOf(`${time(7)} text`)).toBe(time(7));
    expect(engineTimeOf('2026-01-02T03:04:05.678Z staging')).toBeUndefined();
    expect(engineTimeOf('text')).toBeUndefined();
  });
});
