/** The commands of `burnish kms` as data: names, options and answers are those of `aws kms`. */
import { KeyError } from '../../encryption/key-error.js';
import type { KeyDescription, NamedKeys } from '../../encryption/named-keys.js';
import type { AdministrationCommand, AdministrationOption } from './command-group.js';

export interface KmsCall {
  readonly keys: NamedKeys;
}

const KEY: AdministrationOption = {
  flag: '--key-id',
  documentation: 'The key: its ID, its ARN, or an alias.',
};
const ALIAS: AdministrationOption = {
  flag: '--alias-name',
  documentation: 'The alias, with alias/ in front.',
};
const TARGET: AdministrationOption = {
  flag: '--target-key-id',
  documentation: 'The ID or ARN of the key that the alias is for.',
};

/** As the AWS CLI prints times, without fractions. */
const date = (time: Date) => time.toISOString().replace(/\.\d{3}Z$/, '+00:00');

const metadataOf = ({ id, arn, description, state, createdAt, deletionDate }: KeyDescription) => ({
  KeyId: id,
  Arn: arn,
  CreationDate: date(createdAt),
  Enabled: state === 'Enabled',
  Description: description,
  KeyUsage: 'ENCRYPT_DECRYPT',
  KeyState: state,
  ...(deletionDate === undefined ? {} : { DeletionDate: date(deletionDate) }),
  Origin: 'AWS_KMS',
  KeySpec: 'SYMMETRIC_DEFAULT',
});

/** Every page of a listing. */
async function* pagesOf<Page extends { readonly next: string | undefined }>(
  read: (after: string) => Promise<Page>,
): AsyncGenerator<Page> {
  let after: string | undefined = '';
  do {
    const page: Page = await read(after);
    yield page;
    after = page.next;
  } while (after !== undefined);
}

export const KMS_COMMANDS: readonly AdministrationCommand<KmsCall>[] = [
  {
    name: 'create-key',
    summary: 'Makes a key.',
    options: [{ flag: '--description', documentation: 'What it is for.', optional: true }],
    async run({ keys, optionalValue }) {
      return { KeyMetadata: metadataOf(await keys.create(optionalValue('description'))) };
    },
  },
  {
    name: 'describe-key',
    summary: 'Prints what is known of a key.',
    options: [KEY],
    async run({ keys, value }) {
      return { KeyMetadata: metadataOf(await keys.describe(value('key-id'))) };
    },
  },
  {
    name: 'list-keys',
    summary: 'Lists the keys.',
    options: [],
    async run({ keys }) {
      const found: { KeyId: string; KeyArn: string }[] = [];
      for await (const page of pagesOf((after) => keys.list(after))) {
        found.push(...page.keys.map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })));
      }
      return { Keys: found };
    },
  },
  {
    name: 'enable-key',
    summary: 'Lets a key be used again.',
    options: [KEY],
    async run({ keys, value }) {
      await keys.setEnabled(value('key-id'), true);
      return undefined;
    },
  },
  {
    name: 'disable-key',
    summary: 'Keeps a key from being used, until it is enabled.',
    options: [KEY],
    async run({ keys, value }) {
      await keys.setEnabled(value('key-id'), false);
      return undefined;
    },
  },
  {
    name: 'rotate-key-on-demand',
    summary: 'Gives a key new bytes; what it encrypted before still opens.',
    options: [KEY],
    async run({ keys, value }) {
      await keys.rotate(value('key-id'));
      return { KeyId: (await keys.describe(value('key-id'))).arn };
    },
  },
  {
    name: 'schedule-key-deletion',
    summary: 'Disables a key, and deletes it in some days with all that it could open.',
    options: [
      KEY,
      {
        flag: '--pending-window-in-days',
        documentation: 'From 7 to 30; 30 if not given.',
        optional: true,
      },
    ],
    async run({ keys, value, optionalValue }) {
      const days = optionalValue('pending-window-in-days') ?? '30';
      if (!/^\d{1,3}$/.test(days)) {
        throw new KeyError('ValidationException', '--pending-window-in-days takes a whole number.');
      }
      const { arn, state, deletionDate } = await keys.scheduleDeletion(
        value('key-id'),
        Number(days),
      );
      return {
        KeyId: arn,
        DeletionDate: deletionDate === undefined ? null : date(deletionDate),
        KeyState: state,
        PendingWindowInDays: Number(days),
      };
    },
  },
  {
    name: 'cancel-key-deletion',
    summary: 'Keeps a key that was to be deleted; it is disabled then.',
    options: [KEY],
    async run({ keys, value }) {
      await keys.cancelDeletion(value('key-id'));
      return { KeyId: (await keys.describe(value('key-id'))).arn };
    },
  },
  {
    name: 'create-alias',
    summary: 'Gives a key another name.',
    options: [ALIAS, TARGET],
    async run({ keys, value }) {
      await keys.aliases.create(value('alias-name'), value('target-key-id'));
      return undefined;
    },
  },
  {
    name: 'update-alias',
    summary: 'Makes an alias the name of another key.',
    options: [ALIAS, TARGET],
    async run({ keys, value }) {
      await keys.aliases.update(value('alias-name'), value('target-key-id'));
      return undefined;
    },
  },
  {
    name: 'delete-alias',
    summary: 'Removes an alias, and not its key.',
    options: [ALIAS],
    async run({ keys, value }) {
      await keys.aliases.delete(value('alias-name'));
      return undefined;
    },
  },
  {
    name: 'list-aliases',
    summary: 'Lists the aliases, of one key or of all.',
    options: [{ ...KEY, optional: true }],
    async run({ keys, optionalValue }) {
      const key = optionalValue('key-id');
      const found: Record<string, string>[] = [];
      for await (const page of pagesOf((after) => keys.aliases.list(after, undefined, key))) {
        found.push(
          ...page.aliases.map(({ name, arn, keyId, createdAt }) => ({
            AliasName: name,
            AliasArn: arn,
            TargetKeyId: keyId,
            CreationDate: date(createdAt),
          })),
        );
      }
      return { Aliases: found };
    },
  },
];
