/** The pager, on a pseudo-terminal. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MockService, startMockService } from '../global-options/mock-service.js';
import { BURNISH, type Home, makeHome } from '../global-options/run-burnish.js';
import { runOnTerminal, whyNoTerminal } from './pseudo-terminal.js';

if (whyNoTerminal !== undefined) console.warn(`SKIPPED: the pager: ${whyNoTerminal}`);

const hasLess = spawnSync('less', ['--version']).status === 0;

let home: Home;
let service: MockService;
let pager: string;

beforeAll(async () => {
  home = makeHome();
  service = await startMockService(({ target }) => ({
    body: target.endsWith('ListTags') ? '{"Tags":[{"Key":"team","Value":"search"}]}' : '',
  }));
  // Says that it was there, with which options for less, and passes everything on.
  pager = home.write(
    'pager.sh',
    `echo "PAGER $* LESS=$LESS" > "${join(home.path, 'seen')}"\necho "[paged]"\nexec cat\n`,
  );
});

afterAll(async () => {
  await service.close();
});

const TAGS = ['list-tags', '--resource-arn', 'arn'];

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  home.write('seen', '');
  const result = await runOnTerminal(
    [process.execPath, BURNISH, ...args],
    [],
    home.environment({ AWS_ENDPOINT_URL: service.url, ...env }),
  );
  return { ...result, seen: readFileSync(join(home.path, 'seen'), 'utf8') };
}

describe.skipIf(whyNoTerminal !== undefined)('on a terminal', () => {
  it('output goes through the pager, which is told to quit where all fits', async () => {
    const { output, seen, status } = await run(TAGS, { AWS_PAGER: `sh '${pager}' -x "a b"` });
    expect(output).toContain('[paged]\r\n{\r\n    "Tags": [');
    expect(seen).toBe('PAGER -x a b LESS=FRX\n');
    expect(status).toBe(0);
  });

  it('the user’s own options for less stay', async () => {
    const { seen } = await run(TAGS, { AWS_PAGER: `sh ${pager}`, LESS: 'S' });
    expect(seen).toContain('LESS=S\n');
  });

  it('cli_pager of the profile names the pager', async () => {
    const AWS_CONFIG_FILE = home.write('config', `[default]\ncli_pager = sh ${pager} fromfile\n`);
    expect((await run(TAGS, { AWS_CONFIG_FILE })).seen).toContain('PAGER fromfile');
  });

  it('--no-cli-pager, or an empty AWS_PAGER, leaves it out', async () => {
    const without = await run([...TAGS, '--no-cli-pager'], { AWS_PAGER: `sh ${pager}` });
    expect([without.seen, without.status]).toEqual(['', 0]);
    expect(without.output).toContain('"team"');
    const empty = await run(TAGS, { AWS_PAGER: '', PAGER: `sh ${pager}` });
    expect(empty.seen).toBe('');
    expect(empty.output).toContain('"team"');
  });

  it('no pager is started where nothing is printed', async () => {
    const stop = ['stop-optimization-job', '--optimization-job-name', 'x'];
    const { seen, output } = await run(stop, { AWS_PAGER: `sh ${pager}` });
    expect([seen, output]).toEqual(['', '']);
  });

  it('a pager that is missing is a configuration error', async () => {
    const { output, status } = await run(TAGS, { AWS_PAGER: 'no-such-pager' });
    expect(status).toBe(253);
    expect(output).toContain('Unable to redirect output to pager.');
  });

  it('a pager that is left early is no error', async () => {
    const { output, status } = await run(TAGS, { AWS_PAGER: 'true' });
    expect([output, status]).toEqual(['', 0]);
  });

  it.skipIf(!hasLess)('a long output is paged by less until the user leaves it', async () => {
    const many = await startMockService(() => ({
      body: JSON.stringify({
        Tags: Array.from({ length: 20_000 }, (_, index) => ({ Key: `key-${index}`, Value: 'v' })),
      }),
    }));
    const { output, status, reached } = await runOnTerminal(
      [process.execPath, BURNISH, ...TAGS],
      [
        { await: 'key-1"', send: ' ' },
        { await: 'key-9"', send: 'q' },
      ],
      home.environment({ AWS_ENDPOINT_URL: many.url }),
    );
    await many.close();
    expect([reached, status]).toEqual([2, 0]);
    expect(output).not.toContain('key-1000"');
  });

  it('the manual goes through the pager of manuals', async () => {
    const { output, seen } = await run(['list-tags', 'help'], { MANPAGER: `sh ${pager} manual` });
    expect(seen).toContain('PAGER manual');
    expect(output).toContain('\u001b[1mNAME\u001b[22m');
  });

  it('a table is colored, and as wide as the terminal at most', async () => {
    const table = [...TAGS, '--output', 'table'];
    const paged = await run(table, { AWS_PAGER: `sh ${pager}` });
    expect(paged.output).toContain('\u001b[1m\u001b[34mteam\u001b[0m');
    expect((await run([...table, '--color', 'off'], { AWS_PAGER: '' })).output).not.toContain(
      '\u001b',
    );
  });
});

describe('elsewhere', () => {
  it('there is no pager', async () => {
    const { stdout, status } = await home.burnish(TAGS, {
      AWS_ENDPOINT_URL: service.url,
      AWS_PAGER: `sh ${pager}`,
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\{/);
  });
});
