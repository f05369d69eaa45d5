import { beforeEach, describe, expect, it } from 'vitest';
import { runKms } from '#burnish/server/administration/run-kms.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let dataDir: string;

beforeEach(async () => {
  dataDir = temporaryFolder('kms');
});

async function run(...argv: string[]) {
  let out = '';
  let err = '';
  const status = await runKms(
    [...argv, '--data-dir', dataDir],
    { write: (text) => (out += text) },
    { write: (text) => (err += text) },
  );
  return { status, out, err, json: out.startsWith('{') ? JSON.parse(out) : undefined };
}

describe('burnish kms', () => {
  it('makes, shows, disables and rotates keys', async () => {
    const made = await run('create-key', '--description', 'of team a');
    const { KeyId, Arn, KeyState } = made.json.KeyMetadata;
    expect(Arn).toBe(`arn:aws:kms:us-east-1:000000000000:key/${KeyId}`);
    expect(KeyState).toBe('Enabled');
    expect((await run('list-keys')).json).toEqual({ Keys: [{ KeyId, KeyArn: Arn }] });
    await run('disable-key', '--key-id', KeyId);
    const shown = await run('describe-key', '--key-id', Arn);
    expect(shown.json.KeyMetadata).toMatchObject({ Enabled: false, Description: 'of team a' });
    const refused = await run('rotate-key-on-demand', '--key-id', KeyId);
    expect(refused.status).toBe(254);
    expect(refused.err).toContain(
      `An error occurred (DisabledException) when calling the RotateKeyOnDemand operation: ${Arn} is disabled.`,
    );
    await run('enable-key', '--key-id', KeyId);
    expect((await run('rotate-key-on-demand', '--key-id', KeyId)).json).toEqual({ KeyId: Arn });
  });

  it('names keys by aliases', async () => {
    const { KeyId } = (await run('create-key')).json.KeyMetadata;
    const alias = ['--alias-name', 'alias/team'] as const;
    expect((await run('create-alias', ...alias, '--target-key-id', KeyId)).status).toBe(0);
    expect((await run('list-aliases')).json.Aliases).toMatchObject([
      { AliasName: 'alias/team', TargetKeyId: KeyId },
    ]);
    expect((await run('describe-key', '--key-id', 'alias/team')).json.KeyMetadata.KeyId).toBe(
      KeyId,
    );
    await run('delete-alias', ...alias);
    expect((await run('list-aliases', '--key-id', KeyId)).json).toEqual({ Aliases: [] });
  });

  it('deletes keys after some days, and takes it back', async () => {
    const { KeyId } = (await run('create-key')).json.KeyMetadata;
    const key = ['--key-id', KeyId] as const;
    const days = '--pending-window-in-days';
    expect((await run('schedule-key-deletion', ...key, days, '7')).json).toMatchObject({
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
    });
    await run('cancel-key-deletion', ...key);
    expect((await run('describe-key', ...key)).json.KeyMetadata.KeyState).toBe('Disabled');
    expect((await run('schedule-key-deletion', ...key, days, 'soon')).status).toBe(254);
  });

  it('says how it is used', async () => {
    const help = await run('create-alias', '--help');
    expect(help.out).toContain('--target-key-id');
    expect((await run('describe-key')).status).toBe(252);
    expect((await run('explode')).err).toContain("there is no command 'explode'");
  });
});
