import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '#burnish/cli/configuration/command-table.js';
import { DEPLOYMENT_INSTANCE_TYPES } from '#burnish/service-model/instance-types.js';
import { type MockService, startMockService } from '../global-options/mock-service.js';
import { BURNISH, type Home, makeHome } from '../global-options/run-burnish.js';

let home: Home;
let service: MockService;

const ARN = 'arn:aws:sagemaker:us-east-1:000000000000:optimization-job';

beforeAll(async () => {
  home = makeHome();
  service = await startMockService(() => ({
    body: JSON.stringify({
      OptimizationJobSummaries: ['llama-awq', 'llama-fp8'].map((name) => ({
        OptimizationJobName: name,
        OptimizationJobArn: `${ARN}/${name}`,
      })),
    }),
  }));
  mkdirSync(join(home.path, 'folder with space'));
  writeFileSync(join(home.path, 'job.json'), '{}');
  // What the shells call.
  const bin = join(home.path, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'burnish'), `#!/bin/sh\nexec "${process.execPath}" "${BURNISH}" "$@"\n`);
  chmodSync(join(bin, 'burnish'), 0o755);
});

afterAll(async () => {
  await service.close();
});

const environment = () =>
  home.environment({
    AWS_ENDPOINT_URL: service.url,
    PATH: `${join(home.path, 'bin')}:${process.env.PATH}`,
  });

/** What the shell's completion is offered for a line with the cursor at its end. */
async function complete(line: string, shell = 'bash', point = line.length): Promise<string[]> {
  const { stdout } = await home.burnish(['__complete', shell], {
    AWS_ENDPOINT_URL: service.url,
    COMP_LINE: line,
    COMP_POINT: String(point),
  });
  return stdout.split('\n').slice(0, -1);
}

describe('completion', () => {
  it('offers commands', async () => {
    expect(await complete('burnish ')).toEqual([
      ...COMMANDS.map(({ name }) => `${name} `),
      'help ',
    ]);
    expect(await complete('burnish de')).toEqual([
      'describe-optimization-job ',
      'delete-optimization-job ',
      'delete-tags ',
    ]);
    expect(await complete('burnish --region eu-west-1 sto')).toEqual(['stop-optimization-job ']);
    expect(await complete('burnish help add')).toEqual(['add-tags ']);
  });

  it('offers options that are not given yet, those that are needed first', async () => {
    const options = await complete('burnish create-optimization-job --role-arn r --o');
    expect(options).toEqual([
      '--optimization-job-name ',
      '--optimization-configs ',
      '--output-config ',
      '--optimization-environment ',
      '--output ',
    ]);
    expect(await complete('burnish create-optimization-job --role-arn r --ro')).toEqual([]);
    expect(await complete('burnish list-tags --next')).toEqual([]);
  });

  it('offers values', async () => {
    const job = 'burnish create-optimization-job';
    const types = DEPLOYMENT_INSTANCE_TYPES.map((type) => `${type} `);
    expect(await complete(`${job} --deployment-instance-type `)).toEqual(types);
    expect(await complete('burnish list-tags --output y')).toEqual(['yaml ', 'yaml-stream ']);
    expect(await complete('burnish list-tags --output=y')).toEqual(['yaml ', 'yaml-stream ']);
    expect(await complete(`${job} --generate-cli-skeleton y`)).toEqual(['yaml-input ']);
    expect(await complete(`${job} --output-config S3`)).toEqual(['S3OutputLocation=']);
    expect(await complete('burnish wait ')).toEqual(['optimization-job-completed ']);
    expect(await complete('burnish completion z')).toEqual(['zsh ']);
  });

  it('offers names that the service has', async () => {
    const names = ['llama-awq ', 'llama-fp8 '];
    const line = 'burnish describe-optimization-job --optimization-job-name ';
    expect(await complete(line)).toEqual(names);
    expect(await complete(`${line}llama-f`)).toEqual(['llama-fp8 ']);
    expect(service.requests.at(-1)?.body).toContain('"NameContains":"llama-f"');
    expect(await complete('burnish logs ')).toEqual(names);
    // Bash goes on after the last colon.
    expect(await complete('burnish list-tags --resource-arn arn:aws:')).toEqual([
      'sagemaker:us-east-1:000000000000:optimization-job/llama-awq ',
      'sagemaker:us-east-1:000000000000:optimization-job/llama-fp8 ',
    ]);
  });

  it('asks the service that the line leads to, and offers nothing where there is none', async () => {
    const line = 'burnish logs --endpoint-url http://127.0.0.1:1 ';
    expect((await complete(line)).filter((word) => word.startsWith('llama'))).toEqual([]);
  });

  it('offers files where a value is read from one', async () => {
    const line = 'burnish create-optimization-job --cli-input-json file://';
    // Bash goes on after the colon of the scheme.
    expect(await complete(`${line}jo`)).toEqual(['//job.json ']);
    expect(await complete(`${line}fo`)).toEqual(["'//folder with space/'"]);
    expect(await complete('burnish list-tags --ca-bundle j')).toEqual(['job.json ']);
  });

  it('is about the word at the cursor', async () => {
    expect(await complete('burnish des --output text', 'bash', 'burnish des'.length)).toEqual([
      'describe-optimization-job ',
    ]);
  });

  it('explains what it offers in zsh', async () => {
    const [line = ''] = await complete('burnish list-tags --res', 'zsh');
    expect(line.split('\t')).toEqual([
      '--resource-arn',
      '.',
      '(required) The ARN of the resource.',
    ]);
    const [partial = ''] = await complete('burnish add-tags --tags K', 'zsh');
    expect(partial.split('\t').slice(0, 2)).toEqual(['Key=', '+']);
  });

  it('is for shells that it knows', async () => {
    expect((await home.burnish(['__complete', 'fish'])).status).toBe(252);
    expect((await home.burnish(['completion', 'fish'])).status).toBe(252);
  });
});

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe('in the shell itself', () => {
  it.skipIf(!has('bash'))('bash completes', async () => {
    const program = `
      source <(burnish completion bash)
      COMP_LINE='burnish describe-optimization-job --optimization-job-name llama-a' COMP_POINT=67
      _burnish_complete
      printf '<%s>' "\${COMPREPLY[@]}"
      complete -p burnish`;
    const { stdout } = await promisify(execFile)('bash', ['-c', program], { env: environment() });
    expect(stdout).toContain('<llama-awq >');
    expect(stdout).toContain('-F _burnish_complete burnish');
  });

  it.skipIf(!has('zsh'))('zsh completes', async () => {
    // The function is called as the completion system would call it; compadd shows what it gets.
    const program = `
      compdef() { : }
      source <(burnish completion zsh)
      compadd() { print -r -- "compadd $*" }
      words=(burnish list-optimization-jobs --status-equals F) CURRENT=4
      _burnish
      words=(burnish add-tags --tags '') CURRENT=4
      _burnish`;
    const { stdout } = await promisify(execFile)('zsh', ['-fc', program], { env: environment() });
    expect(stdout).toContain('compadd -l -V burnish -d whole_shown -- FAILED');
    expect(stdout).toContain('compadd -l -V burnish-more -S  -d more_shown -- Key= Value=');
  });

  it.each(['bash', 'zsh'])('the script for %s has no syntax error', async (shell) => {
    const { stdout } = await home.burnish(['completion', shell]);
    expect(stdout).toContain('burnish __complete');
    if (!has(shell)) return;
    expect(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr).toBe('');
  });
});
