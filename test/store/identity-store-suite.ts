import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IdentityStore } from '#burnish/store/identity-store.js';
import type { JobStore } from '#burnish/store/job-store.js';
import type { FreshDatabase } from './job-store-suite.js';

const AT = 1_700_000_000_000;
const user = (name: string) => ({ name, id: `AIDA-${name}`, created_at: AT });
const role = (name: string) => ({
  name,
  id: `AROA-${name}`,
  trust_policy: '{}',
  max_session_seconds: 3_600,
  created_at: AT,
});
const key = (id: string, principal: string, created_at = AT) => ({
  id,
  principal,
  sealed_secret: 'sealed',
  status: 'Active',
  created_at,
});
const policyOf = (owner_kind: 'user' | 'role', owner_name: string, document: string) => ({
  owner_kind,
  owner_name,
  name: 'own',
  document,
});

/** What the record of identities promises, whatever database is below it. */
export function testIdentityStore(database: string, fresh: () => Promise<FreshDatabase>): void {
  let opened: FreshDatabase;
  let jobs: JobStore;
  let store: IdentityStore;

  beforeEach(async () => {
    opened = await fresh();
    jobs = await opened.open();
    store = jobs.identities;
  });

  afterEach(async () => {
    await jobs.close();
    await opened.remove?.();
  });

  describe(`the record of identities in ${database}`, () => {
    it('is laid once, and not again when it was taken away', async () => {
      const policy = { name: 'Execution', document: '{}' };
      expect(await store.seed(role('first'), policy)).toBe(true);
      expect(await store.seed(role('second'), policy)).toBe(false);
      expect(await store.snapshot()).toMatchObject({
        roles: [{ name: 'first' }],
        policies: [{ owner_kind: 'role', owner_name: 'first', name: 'Execution' }],
      });
      await store.deletePolicy('role', 'first', 'Execution');
      await store.deleteOwner('role', 'first');
      expect(await store.seed(role('third'), policy)).toBe(false);
    });

    it('is laid by one alone of several nodes that start at once', async () => {
      // SQLite's record is one process's at its start, and two connections of one would block each other.
      if (!opened.shared) return;
      const second = await opened.open();
      const policy = { name: 'Execution', document: '{}' };
      const laid = await Promise.all([
        store.seed(role('first'), policy),
        second.identities.seed(role('second'), policy),
      ]);
      expect(laid.filter(Boolean)).toHaveLength(1);
      expect((await store.snapshot()).roles).toHaveLength(1);
      await second.close();
    });

    it('counts every change, and nothing that was refused', async () => {
      const before = await store.revision();
      await store.createUser(user('alice'));
      expect(await store.revision()).toBe(before + 1);
      await expect(store.createUser(user('alice'))).rejects.toMatchObject({
        code: 'EntityAlreadyExists',
      });
      expect(await store.revision()).toBe(before + 1);
      expect((await store.snapshot()).revision).toBe(before + 1);
    });

    it('keeps users, keys, roles and policies as they were given, in order', async () => {
      await store.createUser(user('bob'));
      await store.createUser(user('alice'));
      await store.createRole(role('team'));
      await store.createAccessKey(key('AKIA-2', 'alice', AT + 1), 2);
      await store.createAccessKey(key('AKIA-1', 'alice'), 2);
      await store.putPolicy(policyOf('user', 'alice', '{"a":1}'));
      await store.putPolicy(policyOf('user', 'alice', '{"a":2}'));
      await store.putPolicy(policyOf('role', 'team', '{"b":1}'));
      await store.setAccessKeyStatus('alice', 'AKIA-1', 'Inactive');
      await store.updateTrustPolicy('team', '{"c":1}');
      const { revision: _, ...contents } = await store.snapshot();
      expect(contents).toEqual({
        users: [user('alice'), user('bob')],
        accessKeys: [
          { ...key('AKIA-1', 'alice'), status: 'Inactive' },
          key('AKIA-2', 'alice', AT + 1),
        ],
        roles: [{ ...role('team'), trust_policy: '{"c":1}' }],
        policies: [policyOf('role', 'team', '{"b":1}'), policyOf('user', 'alice', '{"a":2}')],
      });
    });

    it('refuses what has no owner, or would leave something without one', async () => {
      await expect(store.createAccessKey(key('AKIA-1', 'nobody'), 2)).rejects.toMatchObject({
        code: 'NoSuchEntity',
        message: 'The user with name nobody cannot be found.',
      });
      await expect(store.putPolicy(policyOf('role', 'none', '{}'))).rejects.toMatchObject({
        code: 'NoSuchEntity',
      });
      await store.createUser(user('alice'));
      await store.createAccessKey(key('AKIA-1', 'alice'), 2);
      await expect(store.deleteOwner('user', 'alice')).rejects.toMatchObject({
        code: 'DeleteConflict',
        message: 'Cannot delete entity, must delete access keys first.',
      });
      await expect(store.deleteAccessKey('bob', 'AKIA-1')).rejects.toMatchObject({
        code: 'NoSuchEntity',
      });
      await store.deleteAccessKey('alice', 'AKIA-1');
      await store.deleteOwner('user', 'alice');
      expect((await store.snapshot()).users).toEqual([]);
    });

    it('gives a user no more keys than its quota, however many ask at once', async () => {
      await store.createUser(user('alice'));
      const asked = ['A', 'B', 'C', 'D'].map((id) => store.createAccessKey(key(id, 'alice'), 2));
      const answers = await Promise.allSettled(asked);
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect((await store.snapshot()).accessKeys).toHaveLength(2);
    });
  });
}
