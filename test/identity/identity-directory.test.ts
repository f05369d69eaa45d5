import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MasterKey } from '#burnish/encryption/master-key.js';
import { IdentityAdministration } from '#burnish/identity/identity-administration.js';
import { IdentityDirectory } from '#burnish/identity/identity-directory.js';
import { rootPrincipal } from '#burnish/identity/principal.js';
import { type SessionRecord, sealSession } from '#burnish/identity/session-token.js';
import type { JobStore } from '#burnish/store/job-store.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const ACCOUNT = '000000000000';
const ADMINISTRATOR = {
  accessKeyId: 'AKIAADMINISTRATOR000',
  secretAccessKey: 'secret',
  principal: rootPrincipal(ACCOUNT),
};
const TRUST =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}';

let folder: string;
let store: JobStore;
let masterKey: MasterKey;
let administration: IdentityAdministration;
let directory: IdentityDirectory;
let problems: Error[];

const open = (key: MasterKey) =>
  new IdentityDirectory(store.identities, {
    accountId: ACCOUNT,
    masterKey: key,
    administrator: ADMINISTRATOR,
    onProblem: (problem) => problems.push(problem),
  });

beforeEach(async () => {
  folder = temporaryFolder('directory');
  store = await openSqliteStore(join(folder, 'jobs.db'));
  masterKey = new MasterKey(randomBytes(32));
  administration = new IdentityAdministration(store.identities, masterKey);
  problems = [];
  directory = open(masterKey);
  await directory.refresh();
});

afterEach(async () => {
  directory.close();
  await store.close();
});

describe('access keys', () => {
  it("are the administrator's and those of users that are active", async () => {
    await administration.createUser('alice');
    const { key, secret } = await administration.createAccessKey('alice');
    const find = (id: string) => directory.findKey(id, undefined, new Date());
    expect(find(key.id)).toBeUndefined();
    await directory.refresh();
    expect(find(key.id)).toMatchObject({
      secretAccessKey: secret,
      principal: { kind: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/alice` },
    });
    await administration.setAccessKeyStatus('alice', key.id, 'Inactive');
    await directory.refresh();
    expect(find(key.id)).toBeUndefined();
    expect(find(ADMINISTRATOR.accessKeyId)).toBe(ADMINISTRATOR);
  });

  it('sealed under another master key are nobody’s, and somebody is told', async () => {
    await administration.createUser('alice');
    const { key } = await administration.createAccessKey('alice');
    const stranger = open(new MasterKey(randomBytes(32)));
    await stranger.refresh();
    expect(stranger.findKey(key.id, undefined, new Date())).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ name: 'MasterKeyError' })]);
  });
});

describe('sessions', () => {
  const NOW = new Date('2026-01-01T00:00:00Z');

  async function session(change: Partial<SessionRecord> = {}): Promise<SessionRecord> {
    const { id } = await administration.createRole('team', TRUST);
    await directory.refresh();
    return {
      accessKeyId: 'ASIA2222222222222222',
      secretAccessKey: 'secret',
      roleName: 'team',
      roleId: id,
      sessionName: 'work',
      issuedAt: NOW.getTime(),
      expiresAt: NOW.getTime() + 900_000,
      ...change,
    };
  }

  const find = (record: SessionRecord, token: string, at: Date) =>
    directory.findKey(record.accessKeyId, token, at);

  it('hold until they expire', async () => {
    const record = await session();
    const token = sealSession(masterKey, record);
    const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
    expect(find(record, token, later(899))).toMatchObject({
      secretAccessKey: 'secret',
      principal: { arn: `arn:aws:sts::${ACCOUNT}:assumed-role/team/work` },
      issuedAt: NOW,
    });
    expect(() => find(record, token, later(900))).toThrow(
      expect.objectContaining({
        code: 'ExpiredTokenException',
        message: 'The security token included in the request is expired',
        s3: { code: 'ExpiredToken', message: 'The provided token has expired.', statusCode: 400 },
      }),
    );
  });

  it.each([
    ['that were never given out', () => 'AQoDYXdzEPT'],
    ['that are too long', () => 'x'.repeat(100_000)],
    ['that were changed', (token: string) => `${token.slice(0, 40)}AAAA${token.slice(44)}`],
    [
      'that another service gave out',
      (_: string, record: SessionRecord) => sealSession(new MasterKey(randomBytes(32)), record),
    ],
    [
      'of another key',
      (_: string, record: SessionRecord) =>
        sealSession(masterKey, { ...record, accessKeyId: 'ASIAOTHER' }),
    ],
    [
      'of another role of that name',
      (_: string, record: SessionRecord) =>
        sealSession(masterKey, { ...record, roleId: 'AROAOTHER' }),
    ],
  ])('are refused with tokens %s', async (_what, tokenOf) => {
    const record = await session();
    const token = tokenOf(sealSession(masterKey, record), record);
    expect(() => find(record, token, NOW)).toThrow(
      'The security token included in the request is invalid.',
    );
  });

  it('end with their role', async () => {
    const record = await session();
    const token = sealSession(masterKey, record);
    expect(find(record, token, NOW)).toBeTruthy();
    await administration.delete('role', 'team');
    await directory.refresh();
    expect(() => find(record, token, NOW)).toThrow();
  });
});

describe('a policy that can no longer be read', () => {
  it('denies everything, since it may have been a denial', async () => {
    await administration.createUser('alice');
    const { key } = await administration.createAccessKey('alice');
    await store.identities.putPolicy({
      owner_kind: 'user',
      owner_name: 'alice',
      name: 'broken',
      document: '{',
    });
    await directory.refresh();
    const principal = directory.findKey(key.id, undefined, new Date())?.principal;
    const policies = principal === undefined ? [] : directory.policiesOf(principal);
    expect(policies?.[0]?.text).toContain('"deny"');
    expect(problems).toHaveLength(1);
  });
});
