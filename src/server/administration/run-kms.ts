import { KeyError } from '../../encryption/key-error.js';
import { MasterKeyError } from '../../encryption/master-key.js';
import { NamedKeys } from '../../encryption/named-keys.js';
import { DEFAULT_CONFIGURATION } from '../configuration.js';
import { ACCOUNT_OPTION, type CommandGroup } from './command-group.js';
import { KMS_COMMANDS, type KmsCall } from './kms-commands.js';
import { type Output, runAdministration } from './run-administration.js';

const KMS: CommandGroup<KmsCall> = {
  name: 'kms',
  introduction: `Manages the keys that objects are encrypted under. It works on the service's record directly; a service that
runs takes changes up at once.`,
  commands: KMS_COMMANDS,
  commonOptions: [
    {
      flag: '--region',
      documentation: `The region in ARNs (${DEFAULT_CONFIGURATION.region}).`,
      optional: true,
    },
    ACCOUNT_OPTION,
  ],
  open: ({ store, masterKey }, { optionalValue }) => ({
    keys: new NamedKeys(store.keys, masterKey, {
      region: optionalValue('region') ?? DEFAULT_CONFIGURATION.region,
      accountId: optionalValue('account-id') ?? DEFAULT_CONFIGURATION.accountId,
    }),
  }),
  codeOf(error) {
    if (error instanceof KeyError) return error.code;
    if (error instanceof MasterKeyError) return 'MasterKey';
    return undefined;
  },
};

/** `burnish kms COMMAND …`: manages the keys of objects. @returns the exit status */
export function runKms(argv: readonly string[], stdout: Output, stderr: Output): Promise<number> {
  return runAdministration(KMS, argv, stdout, stderr);
}
