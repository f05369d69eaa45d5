/**
 * The same arguments to the real AWS CLI and to `burnish`: the requests that arrive are the same,
 * the exit statuses are the same, and an error is about the same thing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { temporaryFolder } from '../../support/temporary-folder.js';
import type { Case } from './case.js';
import { COMMAND_LINE_CASES } from './cases/command-line.js';
import { CREATE_CASES } from './cases/create.js';
import { LIST_CASES } from './cases/list.js';
import { WHOLE_INPUT_CASES } from './cases/whole-input.js';
import { writeFiles } from './files.js';
import { type AwsCli, BURNISH, findAwsCli, type Outcome, run } from './programs.js';
import { type RecordingServer, startRecordingServer } from './recording-server.js';

const found = findAwsCli();
if (typeof found === 'string') console.warn(`SKIPPED: the comparison with the AWS CLI: ${found}`);

let server: RecordingServer;
let folder: string;

beforeAll(async () => {
  server = await startRecordingServer();
  folder = temporaryFolder('differential');
  writeFiles(folder);
});

afterAll(async () => {
  await server.close();
});

async function runCase({ args, before = [], answers }: Case, cli: AwsCli) {
  const theirs = server.record(answers);
  const ours = server.record(answers);
  const [aws, burnish] = await Promise.all([
    run(
      cli.aws,
      ['--endpoint-url', theirs.url, ...before, 'sagemaker', ...args],
      folder,
      cli.dataPath,
    ),
    run(
      process.execPath,
      [BURNISH, '--endpoint-url', ours.url, ...before, ...args],
      folder,
      cli.dataPath,
    ),
  ]);
  return { aws, burnish, theirs: theirs.requests, ours: ours.requests };
}

function compareOutput(aws: Outcome, burnish: Outcome, output: Case['output'] = 'text'): void {
  if (output === 'text') expect(burnish.stdout).toBe(aws.stdout);
  if (output === 'yaml') expect(parseYaml(burnish.stdout)).toEqual(parseYaml(aws.stdout));
}

/** The error that a message is about, without the usage before it. */
function reasonOf(stderr: string): string {
  const usage = /^\s*usage: .*?help\n(?=\n|Unknown)/s;
  return stderr
    .replace(usage, '')
    .replace(/^\s*aws: error: /, '')
    .trim();
}

describe.skipIf(typeof found === 'string')('the AWS CLI and burnish', () => {
  const groups: Readonly<Record<string, readonly Case[]>> = {
    'create-optimization-job': CREATE_CASES,
    'the whole input and skeletons': WHOLE_INPUT_CASES,
    'lists and pages': LIST_CASES,
    'the command line': COMMAND_LINE_CASES,
  };
  for (const [title, cases] of Object.entries(groups)) {
    describe.concurrent(title, () => {
      it.for(cases.map((one) => [[...(one.before ?? []), ...one.args].join(' '), one] as const))(
        '%s',
        async ([, one]) => {
          const { aws, burnish, theirs, ours } = await runCase(one, found as AwsCli);
          expect(ours).toEqual(theirs);
          expect(burnish.status, burnish.stderr).toBe(aws.status);
          if (aws.status === 0) {
            compareOutput(aws, burnish, one.output);
          } else if (one.names === undefined) {
            expect(reasonOf(aws.stderr)).not.toBe('');
            expect(burnish.stderr).toContain(reasonOf(aws.stderr));
          } else {
            for (const name of one.names) {
              expect(aws.stderr).toContain(name);
              expect(burnish.stderr).toContain(name);
            }
          }
        },
      );
    });
  }
});
