import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  describeBytes,
  describeDuration,
  fractionDone,
} from '#burnish/cli/terminal/describe-progress.js';
import { createProgressReporter } from '#burnish/cli/terminal/progress-bar.js';
import type { OptimizationJobProgress } from '#burnish/service-model/burnish-operations.js';
import { runOnTerminal, whyNoTerminal } from './pseudo-terminal.js';

if (whyNoTerminal !== undefined) console.warn(`SKIPPED: the live bar: ${whyNoTerminal}`);

const START: OptimizationJobProgress = {
  OptimizationJobName: 'job-1',
  OptimizationJobStatus: 'INPROGRESS',
  Step: 1,
  Steps: 2,
  Phase: 'quantizing',
  TensorsDone: 0,
  TensorsTotal: 40,
  BytesDone: 0,
  BytesTotal: 8_000_000_000,
  BytesPerSecond: 100_000_000,
};

const at = (tensors: number): OptimizationJobProgress => ({
  ...START,
  TensorsDone: tensors,
  BytesDone: tensors * 200_000_000,
});

describe('elsewhere than on a terminal', () => {
  it('progress is a line for each tenth of each phase', () => {
    const stream = new PassThrough();
    const reporter = createProgressReporter(stream);
    reporter.update({
      ...START,
      OptimizationJobStatus: 'STARTING',
      Steps: 1,
      Phase: undefined,
    } as never);
    for (let tensors = 0; tensors <= 40; tensors++) {
      reporter.update(at(tensors));
      reporter.update(at(tensors));
    }
    reporter.update({ ...START, Step: 2, Phase: 'sharding' });
    reporter.finish({ ...at(40), OptimizationJobStatus: 'COMPLETED' });
    const lines = String(stream.read()).trimEnd().split('\n');
    const quantizing = lines.filter((line) => line.includes('quantizing'));
    expect(quantizing).toHaveLength(11);
    expect(quantizing[5]).toBe(
      'INPROGRESS quantizing (step 1 of 2)  50%  20/40 tensors  100 MB/s  40s left',
    );
    expect(lines.at(0)).toMatch(/^STARTING/);
    expect(lines.at(-2)).toContain('sharding (step 2 of 2)  0%');
    expect(lines.at(-1)).toBe('job-1: COMPLETED');
    expect(lines.join()).not.toContain('\u001b');
  });
});

/** Shows a job's progress on its terminal, waits to be told, and ends. */
const PROGRAM = `
  const { createProgressReporter } = await import(MODULE);
  const reporter = createProgressReporter();
  reporter.update(PROGRESS);
  process.stdin.once('data', () => {
    reporter.finish({ ...PROGRESS, OptimizationJobStatus: 'COMPLETED' });
    process.exit(0);
  });
`;

const onTerminal = (columns: number) =>
  runOnTerminal(
    [
      process.execPath,
      '--input-type=module',
      '-e',
      PROGRAM.replace('MODULE', () =>
        JSON.stringify(import.meta.resolve('#burnish/cli/terminal/progress-bar.js')),
      ).replaceAll('PROGRESS', () => JSON.stringify(at(30))),
    ],
    [
      { await: 'INPROGRESS', send: '' },
      { await: '\r', send: '\n' },
    ],
    {},
    { columns, rows: 20 },
  );

describe.skipIf(whyNoTerminal !== undefined)('on a terminal', () => {
  it('progress is one line that is drawn again and again, and taken away at the end', async () => {
    const { output, status } = await onTerminal(120);
    expect(status).toBe(0);
    expect(stripVTControlCharacters(output)).toMatch(
      /\r[-|/\\] INPROGRESS quantizing \(step 1 of 2\) {2}\[#{18}-{6}\] {2}75% {2}30\/40 tensors {2}100 MB\/s {2}20s left/,
    );
    expect(output).toContain('\r\u001b[2K');
    expect(output.startsWith('\u001b[?25l')).toBe(true);
    expect(output).toContain('\r\u001b[2K\u001b[?25hjob-1: COMPLETED\r\n');
  });

  it('the line is cut to fit a narrow terminal, what tells least first', async () => {
    const { output } = await onTerminal(50);
    expect(output).toContain('INPROGRESS quantizing (step 1 of 2)  75%');
    expect(output).not.toContain('MB/s');
    const drawn = stripVTControlCharacters(output).split('\r');
    for (const row of drawn) expect(row.trimEnd().length).toBeLessThan(50);
  });
});

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [123_456, '123 kB'],
    [99_960, '100 kB'],
    [999_600, '1.0 MB'],
    [8.03e9, '8.0 GB'],
    [5e15, '5000 TB'],
  ])('%d bytes are %s', (bytes, expected) => expect(describeBytes(bytes)).toBe(expected));

  it.each([
    [0, '0s'],
    [59, '59s'],
    [60, '1m 00s'],
    [3599, '59m 59s'],
    [3600, '1h 00m'],
    [90_000, '25h 00m'],
  ])('%d seconds are %s', (seconds, expected) => expect(describeDuration(seconds)).toBe(expected));

  it('know no fraction where there is no total, and none beyond the whole', () => {
    const base = {
      OptimizationJobName: 'x',
      OptimizationJobStatus: 'INPROGRESS',
      Steps: 1,
    } as const;
    expect(fractionDone(base)).toBeUndefined();
    expect(fractionDone({ ...base, BytesDone: 1, BytesTotal: 0 })).toBeUndefined();
    expect(fractionDone({ ...base, TensorsDone: 1, TensorsTotal: 4 })).toBe(0.25);
    expect(fractionDone({ ...base, BytesDone: 9, BytesTotal: 4 })).toBe(1);
  });
});
