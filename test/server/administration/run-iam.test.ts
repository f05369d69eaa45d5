import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { IAM_COMMANDS } from '#burnish/server/administration/iam-commands.js';
import { runIam } from '#burnish/server/administration/run-iam.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let dataDir: string;

beforeAll(async () => {
  dataDir = temporaryFolder('iam');
});

/** Runs a command on the test's record. */
async function iam(...argv: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const status = await runIam(
    [...argv, '--data-dir', dataDir],
    { write: (text) => out.push(text) },
    { write: (text) => errors.push(text) },
  );
  return { status, out: out.join(''), errors: errors.join('') };
}

/** What a command prints, read. */
async function answer(...argv: string[]) {
  const { status, out, errors } = await iam(...argv);
  expect(errors).toBe('');
  expect(status).toBe(0);
  return (out === '' ? undefined : JSON.parse(out)) as Record<string, unknown>;
}

const READ_ONLY =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:Describe*","Resource":"*"}]}';

describe('burnish iam', () => {
  it('knows a user from its making to its end', async () => {
    expect(await answer('create-user', '--user-name', 'alice')).toMatchObject({
      User: {
        Path: '/',
        UserName: 'alice',
        UserId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
        Arn: 'arn:aws:iam::000000000000:user/alice',
        CreateDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
      },
    });
    expect(await answer('list-users')).toMatchObject({ Users: [{ UserName: 'alice' }] });
    const policy = ['--user-name', 'alice', '--policy-name', 'read'];
    await answer('put-user-policy', ...policy, '--policy-document', READ_ONLY);
    expect(await answer('get-user-policy', ...policy)).toMatchObject({
      PolicyDocument: JSON.parse(READ_ONLY),
    });
    expect((await iam('delete-user', '--user-name', 'alice')).errors).toContain(
      'An error occurred (DeleteConflict) when calling the DeleteUser operation',
    );
    await answer('delete-user-policy', ...policy);
    await answer('delete-user', '--user-name', 'alice');
    expect(await answer('list-users')).toEqual({ Users: [] });
  });

  it('shows the secret of a key once, and keeps it sealed', async () => {
    await answer('create-user', '--user-name', 'bob');
    const { AccessKey } = (await answer('create-access-key', '--user-name', 'bob')) as {
      AccessKey: { AccessKeyId: string; SecretAccessKey: string };
    };
    expect(AccessKey.SecretAccessKey).toHaveLength(40);
    const listed = JSON.stringify(await answer('list-access-keys', '--user-name', 'bob'));
    expect(listed).toContain(AccessKey.AccessKeyId);
    expect(listed).not.toContain(AccessKey.SecretAccessKey);
    for (const file of ['jobs.db', 'jobs.db-wal']) {
      const bytes = await readFile(join(dataDir, file)).catch(() => Buffer.alloc(0));
      expect(bytes.includes(AccessKey.SecretAccessKey)).toBe(false);
    }
    const rotated = await answer(
      ...['rotate-access-key', '--user-name', 'bob', '--access-key-id', AccessKey.AccessKeyId],
    );
    expect(rotated).toMatchObject({ AccessKey: { Status: 'Active' } });
    expect(await answer('list-access-keys', '--user-name', 'bob')).toMatchObject({
      AccessKeyMetadata: [{ Status: 'Inactive' }, { Status: 'Active' }],
    });
    expect(await iam('create-access-key', '--user-name', 'bob')).toMatchObject({
      status: 254,
      errors: expect.stringContaining('(LimitExceeded)'),
    });
  });

  it('has the execution role of a fresh install, and makes others from files', async () => {
    expect(await answer('list-roles')).toMatchObject({
      Roles: [{ Arn: 'arn:aws:iam::000000000000:role/burnish-execution' }],
    });
    const file = join(dataDir, 'trust.json');
    await writeFile(
      file,
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
    );
    const role = ['--role-name', 'team-b'];
    expect(
      await answer('create-role', ...role, '--assume-role-policy-document', `file://${file}`),
    ).toMatchObject({ Role: { RoleName: 'team-b', MaxSessionDuration: 3600 } });
    await answer('put-role-policy', ...role, '--policy-name', 'p', '--policy-document', READ_ONLY);
    expect(await answer('list-role-policies', ...role)).toEqual({ PolicyNames: ['p'] });
  });

  it('does not bring the execution role back once it was deleted', async () => {
    const role = ['--role-name', 'burnish-execution'];
    await answer('delete-role-policy', ...role, '--policy-name', 'Execution');
    await answer('delete-role', ...role);
    expect(await answer('list-roles')).toMatchObject({ Roles: [{ RoleName: 'team-b' }] });
  });

  it.each([
    ['a name with a slash', ['create-user', '--user-name', 'a/b'], 254, /\(ValidationError\)/],
    ['a user twice', ['create-user', '--user-name', 'bob'], 254, /\(EntityAlreadyExists\)/],
    ['no such user', ['get-user', '--user-name', 'carol'], 254, /\(NoSuchEntity\)/],
    [
      'a policy that is none',
      ['put-user-policy', '--user-name', 'bob', '--policy-name', 'p', '--policy-document', '{'],
      254,
      /\(MalformedPolicyDocument\).* not valid JSON/,
    ],
    [
      'a file that is not there',
      [
        'put-user-policy',
        '--user-name',
        'b',
        '--policy-name',
        'p',
        '--policy-document',
        'file:///no',
      ],
      252,
      /--policy-document: ENOENT/,
    ],
    ['a missing option', ['create-user'], 252, /required: --user-name/],
    ['an unknown option', ['list-users', '--path', '/'], 252, /--path/],
    [
      'a status that is none',
      ['update-access-key', '--user-name', 'b', '--access-key-id', 'A', '--status', 'Off'],
      252,
      /--status takes one of Active, Inactive/,
    ],
    ['an account that is none', ['list-users', '--account-id', '12'], 252, /twelve digits/],
    ['no such command', ['create-group'], 252, /there is no command 'create-group'/],
  ])('refuses %s', async (_what, argv, status, message) => {
    expect(await iam(...argv)).toMatchObject({
      status,
      out: '',
      errors: expect.stringMatching(message),
    });
  });

  it('has help for each command', async () => {
    for (const { name, options } of IAM_COMMANDS) {
      const { status, out } = await iam(name, '--help');
      expect(status).toBe(0);
      for (const { flag } of options) expect(out).toContain(flag);
    }
    expect((await iam('--help')).out).toContain('rotate-access-key');
  });
});
