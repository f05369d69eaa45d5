import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MasterKey } from '#burnish/encryption/master-key.js';
import { NamedKeys } from '#burnish/encryption/named-keys.js';
import type { JobStore } from '#burnish/store/job-store.js';
import type { FreshDatabase } from '../store/job-store-suite.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const OWNER = { region: 'us-east-1', accountId: '000000000000' };
const context = { 'aws:s3:arn': 'arn:aws:s3:::models/a' };
const secret = Buffer.from('thirty-two bytes of a data key!!');

/** What named keys promise, whatever database their record is in. */
export function testNamedKeys(database: string, fresh: () => Promise<FreshDatabase>): void {
  let now: number;
  let opened: FreshDatabase;
  let stores: JobStore[];
  let masterKey: MasterKey;
  let keys: NamedKeys;

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    opened = await fresh();
    stores = [await opened.open()];
    masterKey = new MasterKey(randomBytes(32));
    keys = keysUnder(masterKey);
  });

  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await opened.remove?.();
  });

  function keysUnder(key: MasterKey): NamedKeys {
    const [store] = stores.slice(-1);
    if (store === undefined) throw new Error('no database is open');
    return new NamedKeys(store.keys, key, OWNER, () => now);
  }

  /** The keys as another node of the service has them, where several may have one database. */
  async function another(): Promise<NamedKeys> {
    if (opened.shared) stores.push(await opened.open());
    return keysUnder(masterKey);
  }

  describe(`a named key in ${database}`, () => {
    it('is known by its id, its ARN, an alias and the alias’s ARN', async () => {
      const { id, arn } = await keys.create('of team a');
      await keys.aliases.create('alias/team-a', id);
      expect(arn).toBe(`arn:aws:kms:us-east-1:000000000000:key/${id}`);
      const aliasArn = 'arn:aws:kms:us-east-1:000000000000:alias/team-a';
      for (const name of [id, arn, 'alias/team-a', aliasArn]) {
        expect(await keys.describe(name)).toMatchObject({ id, arn, description: 'of team a' });
      }
    });

    it.each([
      ['alias/none', 'Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.'],
      ['no-key', 'Invalid keyId no-key'],
      [
        '00000000-0000-4000-8000-000000000000',
        "Key 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000' does not exist",
      ],
      [
        'arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-4000-8000-000000000000',
        "Key 'arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-4000-8000-000000000000' does not exist",
      ],
    ])('that is not there is refused in KMS’s words: %s', async (name, message) => {
      await expect(keys.resolveUsable(name)).rejects.toMatchObject({
        code: 'NotFoundException',
        message,
      });
    });

    it('opens what it encrypted, for the same context alone', async () => {
      const { id, arn } = await keys.create();
      const { ciphertext } = await keys.encrypt(id, { b: '2', a: '1' }, secret);
      expect(ciphertext.includes(secret)).toBe(false);
      expect(await keys.decrypt(ciphertext, { a: '1', b: '2' })).toEqual({
        keyArn: arn,
        plaintext: secret,
      });
      for (const other of [{}, { a: '1' }, { a: '1', b: '3' }, { a: '1', b: '2', c: '' }]) {
        await expect(keys.decrypt(ciphertext, other)).rejects.toMatchObject({
          code: 'InvalidCiphertextException',
        });
      }
    });

    it('never takes changed bytes for its own', async () => {
      const { id } = await keys.create();
      const { ciphertext } = await keys.encrypt(id, context, secret);
      for (let at = 0; at < ciphertext.length; at += 1) {
        const changed = Buffer.from(ciphertext);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        await expect(keys.decrypt(changed, context)).rejects.toMatchObject({ name: 'KeyError' });
        await expect(keys.decrypt(ciphertext.subarray(0, at), context)).rejects.toMatchObject({
          name: 'KeyError',
        });
      }
    });

    it('still opens with old bytes what was encrypted before a rotation', async () => {
      const { id } = await keys.create();
      const before = await keys.encrypt(id, context, secret);
      expect(await keys.rotate(id)).toBe(2);
      const after = await keys.encrypt(id, context, secret);
      for (const { ciphertext } of [before, after]) {
        expect((await keys.decrypt(ciphertext, context)).plaintext).toEqual(secret);
      }
    });

    it('does nothing while it is disabled', async () => {
      const { id, arn } = await keys.create();
      const { ciphertext } = await keys.encrypt(id, context, secret);
      await keys.setEnabled(id, false);
      const refusal = { code: 'DisabledException', message: `${arn} is disabled.` };
      await expect(keys.encrypt(id, context, secret)).rejects.toMatchObject(refusal);
      await expect(keys.decrypt(ciphertext, context)).rejects.toMatchObject(refusal);
      await expect(keys.rotate(id)).rejects.toMatchObject(refusal);
      await keys.setEnabled(id, true);
      expect((await keys.decrypt(ciphertext, context)).plaintext).toEqual(secret);
    });

    it('is deleted when its time is over, and can be kept until then', async () => {
      const { id, arn } = await keys.create();
      await keys.aliases.create('alias/doomed', id);
      const { ciphertext } = await keys.encrypt(id, context, secret);
      await expect(keys.scheduleDeletion(id, 6)).rejects.toMatchObject({
        code: 'ValidationException',
      });
      await keys.scheduleDeletion(id, 7);
      await expect(keys.decrypt(ciphertext, context)).rejects.toMatchObject({
        code: 'KMSInvalidStateException',
        message: `${arn} is pending deletion.`,
      });
      await keys.cancelDeletion(id);
      await keys.setEnabled(id, true);
      expect((await keys.decrypt(ciphertext, context)).plaintext).toEqual(secret);

      await keys.scheduleDeletion(id, 7);
      now += 7 * DAY_MS;
      await expect(keys.describe(id)).rejects.toMatchObject({ code: 'NotFoundException' });
      expect(await keys.removeDue()).toEqual([arn]);
      expect((await keys.aliases.list()).aliases).toEqual([]);
    });

    it('asks whether it may be used before it says anything else of itself', async () => {
      const { id, arn } = await keys.create();
      await keys.setEnabled(id, false);
      const asked: string[] = [];
      const authorizeKey = (action: string, of: string) => {
        asked.push(`${action} ${of}`);
        throw new Error('denied');
      };
      await expect(keys.generateDataKey({ keyId: id, authorizeKey }, context)).rejects.toThrow(
        'denied',
      );
      expect(asked).toEqual([`kms:GenerateDataKey ${arn}`]);
    });
  });

  describe(`aliases in ${database}`, () => {
    it('move from key to key, and are listed page by page', async () => {
      const first = await keys.create();
      const second = await keys.create();
      for (const name of ['alias/a', 'alias/b', 'alias/c'])
        await keys.aliases.create(name, first.id);
      await keys.aliases.update('alias/b', second.id);
      expect((await keys.describe('alias/b')).id).toBe(second.id);
      const page = await keys.aliases.list('', 2);
      expect(page.aliases.map(({ name }) => name)).toEqual(['alias/a', 'alias/b']);
      const rest = await keys.aliases.list(page.next, 2);
      expect(rest.aliases.map(({ name }) => name)).toEqual(['alias/c']);
      expect(rest.next).toBeUndefined();
      const ofSecond = await keys.aliases.list('', 10, second.arn);
      expect(ofSecond.aliases.map(({ name }) => name)).toEqual(['alias/b']);
      await keys.aliases.delete('alias/b');
      await expect(keys.describe('alias/b')).rejects.toMatchObject({ code: 'NotFoundException' });
    });

    it('are not taken twice, and not from the account’s own', async () => {
      const { id } = await keys.create();
      await keys.aliases.create('alias/a', id);
      await expect(keys.aliases.create('alias/a', id)).rejects.toMatchObject({
        code: 'AlreadyExistsException',
      });
      for (const name of ['a', 'alias/', 'alias/aws/s3', 'alias/a b']) {
        await expect(keys.aliases.create(name, id)).rejects.toMatchObject({
          code: 'InvalidAliasNameException',
        });
      }
    });

    it('has the account’s own key for S3 once it is used, made once for all who come first', async () => {
      const made = await Promise.all(
        [keys, keys, await another()].map((node) => node.generateDataKey({}, context)),
      );
      expect(new Set(made.map(({ keyArn }) => keyArn)).size).toBe(1);
      expect((await keys.aliases.list()).aliases.map(({ name }) => name)).toEqual(['alias/aws/s3']);
    });
  });

  it('opens nothing without its master key', async () => {
    const { id } = await keys.create();
    const { ciphertext } = await keys.encrypt(id, context, secret);
    const stranger = keysUnder(new MasterKey(randomBytes(32)));
    await expect(stranger.decrypt(ciphertext, context)).rejects.toMatchObject({
      name: 'MasterKeyError',
    });
    expect((await (await another()).decrypt(ciphertext, context)).plaintext).toEqual(secret);
  });
}
