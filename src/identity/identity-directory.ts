import type { MasterKey } from '../encryption/master-key.js';
import type { IdentitySnapshot, IdentityStore } from '../store/identity-store.js';
import { expiredSessionToken, unknownSessionToken } from './authentication-error.js';
import type { PolicySource } from './authorizer.js';
import {
  type CompiledPolicy,
  compilePolicy,
  MalformedPolicyError,
} from './policies/policy-document.js';
import {
  type Principal,
  type RoleSession,
  roleArn,
  type UserPrincipal,
  userArn,
} from './principal.js';
import { openSession, type SessionRecord } from './session-token.js';
import type { AccessKey } from './signature-v4.js';

/** How often a running service looks for what the command line changed, in milliseconds. */
const REFRESH_MS = 500;
/** Opened session tokens kept at most. */
const MAX_SESSIONS = 10_000;

/** A role as it can be assumed. */
export interface Role {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly trust: CompiledPolicy;
  readonly maxSessionSeconds: number;
}

interface Contents {
  readonly keys: ReadonlyMap<string, AccessKey>;
  readonly users: ReadonlySet<string>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly policies: ReadonlyMap<string, readonly CompiledPolicy[]>;
}

export interface DirectoryOptions {
  readonly accountId: string;
  readonly masterKey: MasterKey;
  /** The administrator's key, which is not in the record. */
  readonly administrator: AccessKey;
  /** Told what can't be read: a secret under another master key, a policy that no longer parses. */
  readonly onProblem: (problem: Error) => void;
}

/** The prefix of what a key of the policies' map belongs to. */
const ownerKey = (kind: 'user' | 'role', id: string) => `${kind} ${id}`;

/** Everybody the service knows, in memory, kept up with the record. */
export class IdentityDirectory implements PolicySource {
  private contents: Contents = {
    keys: new Map(),
    users: new Set(),
    roles: new Map(),
    policies: new Map(),
  };
  private loadedRevision = -1;
  private timer: NodeJS.Timeout | undefined;
  private readonly sessions = new Map<string, SessionRecord>();

  constructor(
    private readonly store: IdentityStore,
    private readonly options: DirectoryOptions,
  ) {}

  get revision(): number {
    return this.loadedRevision;
  }

  /** Reads the record, and again whenever it changes, until `close`. */
  async start(): Promise<void> {
    await this.refresh();
    const look = async () => {
      await this.refresh().catch(this.options.onProblem);
      if (this.timer !== undefined) this.timer = setTimeout(look, REFRESH_MS).unref();
    };
    this.timer = setTimeout(look, REFRESH_MS).unref();
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  async refresh(): Promise<void> {
    if ((await this.store.revision()) === this.loadedRevision) return;
    const snapshot = await this.store.snapshot();
    this.contents = this.read(snapshot);
    this.loadedRevision = snapshot.revision;
  }

  /** The role of an ARN; undefined when there is none. */
  role(arn: string): Role | undefined {
    return this.contents.roles.get(arn);
  }

  policiesOf(principal: Principal): readonly CompiledPolicy[] | undefined {
    const { users, roles, policies } = this.contents;
    if (principal.kind === 'user') {
      if (!users.has(principal.userId)) return undefined;
      return policies.get(ownerKey('user', principal.userName)) ?? [];
    }
    if (principal.kind === 'session') {
      const role = roles.get(principal.roleArn);
      if (role === undefined || !principal.userId.startsWith(`${role.id}:`)) return undefined;
      return policies.get(ownerKey('role', role.name)) ?? [];
    }
    return [];
  }

  /** Finds an active key. It is what `verifySignature` asks. */
  readonly findKey = (
    accessKeyId: string,
    sessionToken: string | undefined,
    now: Date,
  ): AccessKey | undefined => {
    if (sessionToken !== undefined) return this.findTemporaryKey(accessKeyId, sessionToken, now);
    const { administrator } = this.options;
    if (accessKeyId === administrator.accessKeyId) return administrator;
    return this.contents.keys.get(accessKeyId);
  };

  /** Somebody who acts as a role. */
  sessionOf(role: Role, sessionName: string, sessionPolicy?: string): RoleSession {
    const { accountId } = this.options;
    return {
      kind: 'session',
      arn: `arn:aws:sts::${accountId}:assumed-role/${role.name}/${sessionName}`,
      accountId,
      userId: `${role.id}:${sessionName}`,
      roleName: role.name,
      roleArn: role.arn,
      sessionPolicy,
    };
  }

  private findTemporaryKey(accessKeyId: string, token: string, now: Date): AccessKey | undefined {
    const session = this.sessions.get(token) ?? openSession(this.options.masterKey, token);
    if (session === undefined || session.accessKeyId !== accessKeyId) throw unknownSessionToken();
    if (session.expiresAt <= now.getTime()) {
      this.sessions.delete(token);
      throw expiredSessionToken();
    }
    const role = this.contents.roles.get(roleArn(this.options.accountId, session.roleName));
    if (role?.id !== session.roleId) throw unknownSessionToken();
    this.rememberSession(token, session);
    return {
      accessKeyId,
      secretAccessKey: session.secretAccessKey,
      principal: this.sessionOf(role, session.sessionName, session.sessionPolicy),
      issuedAt: new Date(session.issuedAt),
    };
  }

  private rememberSession(token: string, session: SessionRecord): void {
    if (this.sessions.size >= MAX_SESSIONS) this.sessions.clear();
    this.sessions.set(token, session);
  }

  private read(snapshot: IdentitySnapshot): Contents {
    const { accountId } = this.options;
    const users = new Map<string, UserPrincipal>(
      snapshot.users.map(({ name, id }) => [
        name,
        { kind: 'user', arn: userArn(accountId, name), accountId, userId: id, userName: name },
      ]),
    );
    const keys = new Map<string, AccessKey>();
    for (const { id, principal: name, sealed_secret, status } of snapshot.accessKeys) {
      const principal = users.get(name);
      const secret = this.attempt(() => this.openSecret(id, sealed_secret));
      if (principal === undefined || secret === undefined || status !== 'Active') continue;
      keys.set(id, { accessKeyId: id, secretAccessKey: secret, principal });
    }
    const roles = new Map<string, Role>();
    for (const { name, id, trust_policy, max_session_seconds } of snapshot.roles) {
      const trust = this.attempt(() => compilePolicy('trust', name, trust_policy));
      if (trust === undefined) continue;
      const arn = roleArn(accountId, name);
      roles.set(arn, { name, id, arn, trust, maxSessionSeconds: Number(max_session_seconds) });
    }
    return {
      keys,
      users: new Set([...users.values()].map(({ userId }) => userId)),
      roles,
      policies: this.readPolicies(snapshot),
    };
  }

  private readPolicies({ policies }: IdentitySnapshot): Map<string, readonly CompiledPolicy[]> {
    const byOwner = new Map<string, CompiledPolicy[]>();
    for (const { owner_kind, owner_name, name, document } of policies) {
      const compiled = this.attempt(() => compilePolicy('identity', name, document));
      const owner = ownerKey(owner_kind as 'user' | 'role', owner_name);
      const own = byOwner.get(owner) ?? [];
      // What can't be read may have been a denial, so it denies everything.
      own.push(compiled ?? DENY_ALL);
      byOwner.set(owner, own);
    }
    return byOwner;
  }

  private openSecret(id: string, sealed: string): string {
    return this.options.masterKey.open(accessKeyPurpose(id), sealed).toString('utf8');
  }

  private attempt<Value>(act: () => Value): Value | undefined {
    try {
      return act();
    } catch (error) {
      this.options.onProblem(
        error instanceof Error ? error : new MalformedPolicyError(String(error)),
      );
      return undefined;
    }
  }
}

const DENY_ALL = compilePolicy(
  'identity',
  'unreadable',
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
  }),
);

/** What an access key's secret is sealed for. */
export const accessKeyPurpose = (id: string): string => `secret of the access key ${id}`;
