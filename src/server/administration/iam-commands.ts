/** The commands of `burnish iam` as data: names, options and answers are those of `aws iam`. */
import type { IdentityAdministration } from '../../identity/identity-administration.js';
import { roleArn, userArn } from '../../identity/principal.js';
import type { JsonValue } from '../../service-model/read-value.js';
import type { AccessKeyTable, PrincipalTable, RoleTable } from '../../store/identity-schema.js';
import type { KeyStatus, OwnerKind } from '../../store/identity-store.js';
import type { AdministrationCommand, AdministrationOption } from './command-group.js';

export interface IamCall {
  readonly administration: IdentityAdministration;
  readonly accountId: string;
}

type IamCommand = AdministrationCommand<IamCall>;

const USER: AdministrationOption = { flag: '--user-name', documentation: 'The name of the user.' };
const ROLE: AdministrationOption = { flag: '--role-name', documentation: 'The name of the role.' };
const KEY: AdministrationOption = {
  flag: '--access-key-id',
  documentation: 'The ID of the access key.',
};
const POLICY: AdministrationOption = {
  flag: '--policy-name',
  documentation: 'The name of the policy.',
};
const DOCUMENT: AdministrationOption = {
  flag: '--policy-document',
  documentation: 'The policy as JSON, as text or as file://PATH.',
};
const TRUST: AdministrationOption = {
  flag: '--assume-role-policy-document',
  documentation: 'Who may assume the role, as JSON, as text or as file://PATH.',
};
const STATUS: AdministrationOption = {
  flag: '--status',
  documentation: 'Whether requests signed with the key are taken.',
  choices: ['Active', 'Inactive'],
};

const date = (time: number) => new Date(Number(time)).toISOString().replace(/\.\d{3}Z$/, '+00:00');

const userOf = (accountId: string, { name, id, created_at }: PrincipalTable): JsonValue => ({
  Path: '/',
  UserName: name,
  UserId: id,
  Arn: userArn(accountId, name),
  CreateDate: date(created_at),
});

const roleOf = (accountId: string, role: RoleTable): JsonValue => ({
  Path: '/',
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(accountId, role.name),
  CreateDate: date(role.created_at),
  AssumeRolePolicyDocument: JSON.parse(role.trust_policy) as JsonValue,
  MaxSessionDuration: Number(role.max_session_seconds),
});

const keyOf = ({ principal, id, status, created_at }: AccessKeyTable) => ({
  UserName: principal,
  AccessKeyId: id,
  Status: status,
  CreateDate: date(created_at),
});

const newKeyOf = ({ key, secret }: { readonly key: AccessKeyTable; readonly secret: string }) => ({
  AccessKey: { ...keyOf(key), SecretAccessKey: secret },
});

/** The four commands for the policies of users, or of roles. */
function policyCommands(kind: OwnerKind, owner: AdministrationOption): readonly IamCommand[] {
  const title = kind === 'user' ? 'User' : 'Role';
  const name = `${kind}-name`;
  return [
    {
      name: `put-${kind}-policy`,
      summary: `Gives a ${kind} a policy, or replaces the one of that name.`,
      options: [owner, POLICY, DOCUMENT],
      async run({ administration, value }) {
        await administration.putPolicy(
          kind,
          value(name),
          value('policy-name'),
          value('policy-document'),
        );
        return undefined;
      },
    },
    {
      name: `get-${kind}-policy`,
      summary: `Prints a policy of a ${kind}.`,
      options: [owner, POLICY],
      async run({ administration, value }) {
        const policies = await administration.policies(kind, value(name));
        const policy = policies.find((one) => one.name === value('policy-name'));
        if (policy === undefined) {
          throw new NoSuchPolicyError(kind, value('policy-name'));
        }
        return {
          [`${title}Name`]: value(name),
          PolicyName: policy.name,
          PolicyDocument: JSON.parse(policy.document) as JsonValue,
        };
      },
    },
    {
      name: `list-${kind}-policies`,
      summary: `Lists the policies of a ${kind}.`,
      options: [owner],
      async run({ administration, value }) {
        const policies = await administration.policies(kind, value(name));
        return { PolicyNames: policies.map((policy) => policy.name) };
      },
    },
    {
      name: `delete-${kind}-policy`,
      summary: `Takes a policy from a ${kind}.`,
      options: [owner, POLICY],
      async run({ administration, value }) {
        await administration.deletePolicy(kind, value(name), value('policy-name'));
        return undefined;
      },
    },
  ];
}

/** A policy that was asked for is not there. */
export class NoSuchPolicyError extends Error {
  override readonly name = 'NoSuchPolicyError';

  constructor(kind: OwnerKind, policyName: string) {
    super(`The ${kind} policy with name ${policyName} cannot be found.`);
  }
}

export const IAM_COMMANDS: readonly IamCommand[] = [
  {
    name: 'create-user',
    summary: 'Makes a user. It may do nothing until it is given a policy.',
    options: [USER],
    async run({ administration, accountId, value }) {
      return { User: userOf(accountId, await administration.createUser(value('user-name'))) };
    },
  },
  {
    name: 'get-user',
    summary: 'Prints a user.',
    options: [USER],
    async run({ administration, accountId, value }) {
      return { User: userOf(accountId, await administration.user(value('user-name'))) };
    },
  },
  {
    name: 'list-users',
    summary: 'Lists the users.',
    options: [],
    async run({ administration, accountId }) {
      const users = await administration.users();
      return { Users: users.map((user) => userOf(accountId, user)) };
    },
  },
  {
    name: 'delete-user',
    summary: 'Deletes a user that has no keys and no policies any more.',
    options: [USER],
    async run({ administration, value }) {
      await administration.delete('user', value('user-name'));
      return undefined;
    },
  },
  {
    name: 'create-access-key',
    summary: 'Makes an access key for a user. The secret is printed now and never again.',
    options: [USER],
    async run({ administration, value }) {
      return newKeyOf(await administration.createAccessKey(value('user-name')));
    },
  },
  {
    name: 'list-access-keys',
    summary: 'Lists the access keys of a user.',
    options: [USER],
    async run({ administration, value }) {
      const keys = await administration.accessKeys(value('user-name'));
      return { AccessKeyMetadata: keys.map(keyOf) };
    },
  },
  {
    name: 'update-access-key',
    summary: 'Disables an access key, or enables it again.',
    options: [USER, KEY, STATUS],
    async run({ administration, value }) {
      await administration.setAccessKeyStatus(
        value('user-name'),
        value('access-key-id'),
        value('status') as KeyStatus,
      );
      return undefined;
    },
  },
  {
    name: 'rotate-access-key',
    summary: 'Makes a new access key and disables the old one, which can be enabled again.',
    options: [USER, KEY],
    async run({ administration, value }) {
      return newKeyOf(
        await administration.rotateAccessKey(value('user-name'), value('access-key-id')),
      );
    },
  },
  {
    name: 'delete-access-key',
    summary: 'Deletes an access key.',
    options: [USER, KEY],
    async run({ administration, value }) {
      await administration.deleteAccessKey(value('user-name'), value('access-key-id'));
      return undefined;
    },
  },
  ...policyCommands('user', USER),
  {
    name: 'create-role',
    summary: 'Makes a role. It may do nothing until it is given a policy.',
    options: [
      ROLE,
      TRUST,
      {
        flag: '--max-session-duration',
        documentation: 'The longest session of the role, in seconds; 3600 if not given.',
        optional: true,
      },
    ],
    async run({ administration, accountId, value, optionalValue }) {
      const seconds = optionalValue('max-session-duration');
      const role = await administration.createRole(
        value('role-name'),
        value('assume-role-policy-document'),
        ...(seconds === undefined ? [] : [Number(seconds)]),
      );
      return { Role: roleOf(accountId, role) };
    },
  },
  {
    name: 'get-role',
    summary: 'Prints a role.',
    options: [ROLE],
    async run({ administration, accountId, value }) {
      return { Role: roleOf(accountId, await administration.role(value('role-name'))) };
    },
  },
  {
    name: 'list-roles',
    summary: 'Lists the roles.',
    options: [],
    async run({ administration, accountId }) {
      const roles = await administration.roles();
      return { Roles: roles.map((role) => roleOf(accountId, role)) };
    },
  },
  {
    name: 'update-assume-role-policy',
    summary: 'Replaces the policy that says who may assume a role.',
    options: [ROLE, DOCUMENT],
    async run({ administration, value }) {
      await administration.updateTrustPolicy(value('role-name'), value('policy-document'));
      return undefined;
    },
  },
  {
    name: 'delete-role',
    summary: 'Deletes a role that has no policies any more. Sessions of it end.',
    options: [ROLE],
    async run({ administration, value }) {
      await administration.delete('role', value('role-name'));
      return undefined;
    },
  },
  ...policyCommands('role', ROLE),
];
