import { MasterKeyError } from '../../encryption/master-key.js';
import {
  IdentityAdministration,
  InvalidInputError,
} from '../../identity/identity-administration.js';
import { MalformedPolicyError } from '../../identity/policies/policy-document.js';
import { IdentityStoreError } from '../../store/identity-store.js';
import { DEFAULT_CONFIGURATION } from '../configuration.js';
import { ACCOUNT_OPTION, type CommandGroup } from './command-group.js';
import { IAM_COMMANDS, type IamCall, NoSuchPolicyError } from './iam-commands.js';
import { type Output, runAdministration } from './run-administration.js';

const IAM: CommandGroup<IamCall> = {
  name: 'iam',
  introduction: `Manages who may use the service, and what the roles of jobs may touch. It works on the service's record
directly; a service that runs takes changes up within a second.`,
  commands: IAM_COMMANDS,
  commonOptions: [ACCOUNT_OPTION],
  open: ({ store, masterKey }, { optionalValue }) => ({
    administration: new IdentityAdministration(store.identities, masterKey),
    accountId: optionalValue('account-id') ?? DEFAULT_CONFIGURATION.accountId,
  }),
  codeOf(error) {
    if (error instanceof IdentityStoreError) return error.code;
    if (error instanceof NoSuchPolicyError) return 'NoSuchEntity';
    if (error instanceof MalformedPolicyError) return 'MalformedPolicyDocument';
    if (error instanceof InvalidInputError) return 'ValidationError';
    if (error instanceof MasterKeyError) return 'MasterKey';
    return undefined;
  },
};

/** `burnish iam COMMAND …`: changes who may use the service. @returns the exit status */
export function runIam(argv: readonly string[], stdout: Output, stderr: Output): Promise<number> {
  return runAdministration(IAM, argv, stdout, stderr);
}
