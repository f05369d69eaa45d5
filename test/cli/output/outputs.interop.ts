/**
 * The same answers of the service printed by the real AWS CLI and by `burnish`, in every format,
 * with and without a query: the same bytes and the same exit status. With BURNISH_RECORD=1, what the
 * AWS CLI printed becomes the record that the unit tests compare with.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { type AwsCli, BURNISH, findAwsCli, run } from '../differential/programs.js';
import {
  FORMATS,
  RECORD,
  RESPONSES,
  type RecordedOutput,
  type RecordedResponse,
} from './responses.js';

const found = findAwsCli();
if (typeof found === 'string') console.warn(`SKIPPED: the comparison of outputs: ${found}`);

const recorded: RecordedOutput[] = [];

let server: Server;
let folder: string;

const KEYS = 'aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret';

/** How many requests came to each URL. */
const requests = new Map<string, number>();
let runs = 0;

beforeAll(async () => {
  const names = Object.keys(RESPONSES);
  server = createServer((request, response) => {
    const url = request.url ?? '';
    const [, index = '0'] = url.split('/');
    const pages = RESPONSES[names[Number(index)] ?? '']?.pages ?? [];
    const count = requests.get(url) ?? 0;
    requests.set(url, count + 1);
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(pages[Math.min(count, pages.length - 1)]);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = temporaryFolder('outputs');
  mkdirSync(join(folder, '.aws'));
  writeFileSync(
    join(folder, '.aws', 'config'),
    [
      `[profile wire]\n${KEYS}\ncli_timestamp_format = wire`,
      `[profile yaml]\n${KEYS}\noutput = yaml\n`,
    ].join('\n'),
  );
});

afterAll(async () => {
  if (process.env.BURNISH_RECORD === '1' && recorded.length > 0) {
    const order = (one: RecordedOutput) => JSON.stringify([one.response, one.query, one.format]);
    recorded.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    writeFileSync(RECORD, `${JSON.stringify(recorded, undefined, 2)}\n`);
  }
  await new Promise((resolve) => server.close(resolve));
});

/** Both programs see the pages from the first one on, whatever ran before. */
async function runBoth(name: string, response: RecordedResponse, options: readonly string[]) {
  const { aws, dataPath } = found as AwsCli;
  const { port } = server.address() as AddressInfo;
  const index = Object.keys(RESPONSES).indexOf(name);
  const endpoint = () => ['--endpoint-url', `http://127.0.0.1:${port}/${index}/${++runs}`];
  return Promise.all([
    run(aws, [...endpoint(), 'sagemaker', ...response.args, ...options], folder, dataPath),
    run(process.execPath, [BURNISH, ...endpoint(), ...response.args, ...options], folder, dataPath),
  ]);
}

const plain = ['--color', 'off'];

describe.skipIf(typeof found === 'string')('the outputs of the AWS CLI and burnish', () => {
  for (const [name, response] of Object.entries(RESPONSES)) {
    describe.concurrent(name, () => {
      const queries = [undefined, ...response.queries];
      const cases = queries.flatMap((query, index) =>
        // Without a query every format; the queries take turns with the formats, two each.
        (query === undefined
          ? FORMATS
          : FORMATS.filter((_, at) => [0, 2].includes((at + index) % FORMATS.length))
        ).map((format) => [format, query ?? '', query] as const),
      );
      it.for(cases)('as %s, query "%s"', async ([format, , query]) => {
        const options = [...plain, '--output', format];
        if (query !== undefined) options.push('--query', query);
        const [aws, burnish] = await runBoth(name, response, options);
        expect(burnish.status, burnish.stderr).toBe(aws.status);
        expect(burnish.stdout).toBe(aws.stdout);
        recorded.push({ response: name, format, ...(query && { query }), stdout: aws.stdout });
      });
    });
  }

  describe.concurrent('other settings', () => {
    it.for([
      ['timestamps as on the wire', ['--profile', 'wire']],
      ['the format of the profile', ['--profile', 'yaml']],
      ['a table in color', ['--color', 'on', '--output', 'table']],
      ['a function that there is none of', ['--query', 'nosuch(@)']],
      [
        'a function with a wrong argument',
        ['--query', 'length(MaxInstanceCount)', '--output', 'text'],
      ],
      ['rows of unequal length', ['--query', '[`[1]`,`[1,2]`]', '--output', 'table']],
    ] as const)('%s', async ([, options]) => {
      const name = 'a full job';
      const response = RESPONSES[name];
      if (response === undefined) throw new Error(`no response ${name}`);
      const [aws, burnish] = await runBoth(name, response, options);
      expect(burnish.stdout).toBe(aws.stdout);
      expect(burnish.status, burnish.stderr).toBe(aws.status);
      expect(burnish.stderr).toBe(aws.stderr);
    });
  });
});
