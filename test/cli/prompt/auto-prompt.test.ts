/** Auto-prompt as its user sees it, on a pseudo-terminal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MockService, startMockService } from '../global-options/mock-service.js';
import { BURNISH, type Home, makeHome } from '../global-options/run-burnish.js';
import { runOnTerminal, type Step, whyNoTerminal } from '../terminal/pseudo-terminal.js';

if (whyNoTerminal !== undefined) console.warn(`SKIPPED: auto-prompt: ${whyNoTerminal}`);

let home: Home;
let service: MockService;

beforeAll(async () => {
  home = makeHome();
  service = await startMockService(({ target }) => ({
    body: target.endsWith('ListOptimizationJobs')
      ? '{"OptimizationJobSummaries":[{"OptimizationJobName":"llama-awq"},{"OptimizationJobName":"llama-fp8"}]}'
      : '{"OptimizationJobName":"llama-fp8","OptimizationJobStatus":"COMPLETED"}',
  }));
});

afterAll(async () => {
  await service.close();
});

const prompt = (
  args: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
) =>
  runOnTerminal(
    [process.execPath, BURNISH, ...args],
    steps,
    home.environment({ AWS_ENDPOINT_URL: service.url, AWS_PAGER: '', ...env }),
  );

const DONE = 'Ctrl-C leaves.';

describe.skipIf(whyNoTerminal !== undefined)('auto-prompt', () => {
  it('completes a command, its options, job names and values, with help, and runs it', async () => {
    const { output, status, reached } = await prompt(
      ['--cli-auto-prompt'],
      [
        { await: 'list-optimization-jobs', send: 'desc' },
        { await: 'Tells everything about one optimization job', send: '\t' },
        { await: '(required) The name of the job.', send: '--opt\t' },
        { await: 'llama-fp8', send: '\u001b[B\u001b[B\r' },
        { await: '--optimization-job-name llama-fp8 ', send: '--output ya' },
        { await: 'yaml-stream', send: '\t\r' },
        { await: '--output yaml ', send: '\r' },
      ],
    );
    expect(reached).toBe(7);
    expect(output).toContain(
      '> burnish describe-optimization-job --optimization-job-name llama-fp8 --output yaml',
    );
    expect(output).toContain('OptimizationJobName: llama-fp8\r\nOptimizationJobStatus: COMPLETED');
    expect(status).toBe(0);
    expect(service.requests.at(-1)?.body).toBe('{"OptimizationJobName":"llama-fp8"}');
  });

  it('begins with what was given, and edits it', async () => {
    const { output, status } = await prompt(
      ['describe-optimization-job', '--optimization-job-name', 'a b', '--cli-auto-prompt'],
      [{ await: DONE, send: '\u0017\u0017other --query OptimizationJobStatus\r' }],
    );
    expect(output).toContain("> burnish describe-optimization-job --optimization-job-name 'a b' ");
    expect(status).toBe(0);
    expect(output).toContain('"COMPLETED"');
  });

  it('says where a quote is missing, and leaves on Ctrl-C with status 130', async () => {
    const before = service.requests.length;
    const { reached, status } = await prompt(
      ['--cli-auto-prompt'],
      [
        { await: DONE, send: "logs 'x\r" },
        { await: "A ' is not closed.", send: '\u0003' },
      ],
    );
    expect([reached, status]).toEqual([2, 130]);
    expect(service.requests.slice(before).map(({ target }) => target)).not.toContain(
      'SageMaker.DescribeOptimizationJob',
    );
  });

  it('is turned on by AWS_CLI_AUTO_PROMPT, and off by --no-cli-auto-prompt', async () => {
    const env = { AWS_CLI_AUTO_PROMPT: 'on' };
    const command = ['describe-optimization-job', '--optimization-job-name', 'x'];
    const on = await prompt(command, [{ await: DONE, send: '\r' }], env);
    expect([on.reached, on.status]).toEqual([1, 0]);
    const off = await prompt([...command, '--no-cli-auto-prompt'], [], env);
    expect(off.status).toBe(0);
    expect(off.output).not.toContain('> burnish');
  });

  it('on-partial asks for what is missing', async () => {
    const { reached, status, output } = await prompt(
      ['describe-optimization-job'],
      [{ await: DONE, send: '--optimization-job-name x\r' }],
      { AWS_CLI_AUTO_PROMPT: 'on-partial' },
    );
    expect([reached, status]).toEqual([1, 0]);
    expect(output).not.toContain('usage:');
  });
});
