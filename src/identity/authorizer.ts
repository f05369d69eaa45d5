import { AccessDeniedError, type DenialReason } from './access-denied-error.js';
import { type EvaluatedRequest, evaluatePolicies } from './policies/evaluate-policies.js';
import { type CompiledPolicy, compilePolicy } from './policies/policy-document.js';
import type { Principal } from './principal.js';

/** One thing that somebody wants to do. */
export interface Permission {
  /** For example `s3:GetObject`. */
  readonly action: string;
  /** The ARN of what it is done to; `*` where the action is not on one resource. */
  readonly resource: string;
  /** Condition keys of this action, for example `iam:PassedToService`. */
  readonly context?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The tags of the resource; asked for only if a policy does. */
  readonly resourceTags?: () => Promise<Readonly<Record<string, string>>>;
  /** What the resource itself says of who may use it: a role's trust policy, a key's policy. */
  readonly resourcePolicy?: CompiledPolicy;
}

/** What conditions may ask about a request, whatever it wants to do. */
export interface RequestFacts {
  readonly sourceIp?: string | undefined;
  readonly secure: boolean;
  readonly region: string;
  readonly now: Date;
  /** When the session of the caller began. */
  readonly tokenIssuedAt?: Date | undefined;
}

/** The policies of identities as they are now. */
export interface PolicySource {
  /** Changes whenever any policy does. */
  readonly revision: number;
  /** The policies of a user or role; undefined when there is no such user or role any more. */
  policiesOf(principal: Principal): readonly CompiledPolicy[] | undefined;
}

/** Verdicts kept at most; the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;
/** Compiled session policies kept at most. */
const MAX_SESSION_POLICIES = 1_000;

/** A KMS key whose own policy leaves the matter to the policies of identities. */
const keyPolicyOf = (accountId: string): CompiledPolicy =>
  compilePolicy(
    'resource',
    'key policy',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    }),
  );

/** Says who may do what, by the policies of identities. Verdicts are remembered until a policy changes. */
export class Authorizer {
  private readonly remembered = new Map<string, DenialReason | undefined>();
  private rememberedRevision = -1;
  private readonly sessionPolicies = new Map<string, CompiledPolicy>();
  private readonly keyPolicies = new Map<string, CompiledPolicy>();

  constructor(private readonly source: PolicySource) {}

  /** @throws AccessDeniedError in AWS's words */
  async authorize(
    principal: Principal,
    permission: Permission,
    facts: RequestFacts,
  ): Promise<void> {
    const reason = await this.denial(principal, permission, facts);
    if (reason !== undefined) throw new AccessDeniedError(principal.arn, permission, reason);
  }

  async allows(
    principal: Principal,
    permission: Permission,
    facts: RequestFacts,
  ): Promise<boolean> {
    return (await this.denial(principal, permission, facts)) === undefined;
  }

  private async denial(
    principal: Principal,
    permission: Permission,
    facts: RequestFacts,
  ): Promise<DenialReason | undefined> {
    if (principal.kind === 'root') return undefined;
    const { revision } = this.source;
    const policies = this.source.policiesOf(principal);
    if (policies === undefined) return 'no identity-based policy';
    const session = this.sessionPolicyOf(principal);
    const resourcePolicy = permission.resourcePolicy ?? this.keyPolicyFor(permission, principal);
    const asking = [...policies, session, resourcePolicy];
    const texts = asking.flatMap((policy) => (policy === undefined ? [] : [policy.text]));
    const context = await contextFor(principal, permission, facts, texts);
    const request: EvaluatedRequest = {
      principalArn: principal.arn,
      accountId: principal.accountId,
      action: permission.action,
      resource: permission.resource,
      context,
    };
    const key = JSON.stringify([principal.userId, session?.text, resourcePolicy?.text, request]);
    if (revision !== this.rememberedRevision) {
      this.remembered.clear();
      this.rememberedRevision = revision;
    } else if (this.remembered.has(key)) {
      return this.remembered.get(key);
    }
    const reason = evaluate(policies, session, request, resourcePolicy);
    remember(this.remembered, key, reason, MAX_REMEMBERED);
    return reason;
  }

  private keyPolicyFor(
    { action }: Permission,
    { accountId }: Principal,
  ): CompiledPolicy | undefined {
    if (!action.startsWith('kms:')) return undefined;
    const known = this.keyPolicies.get(accountId) ?? keyPolicyOf(accountId);
    this.keyPolicies.set(accountId, known);
    return known;
  }

  private sessionPolicyOf(principal: Principal): CompiledPolicy | undefined {
    if (principal.kind !== 'session' || principal.sessionPolicy === undefined) return undefined;
    const text = principal.sessionPolicy;
    const known =
      this.sessionPolicies.get(text) ?? compilePolicy('identity', 'SessionPolicy', text);
    remember(this.sessionPolicies, text, known, MAX_SESSION_POLICIES);
    return known;
  }
}

function evaluate(
  policies: readonly CompiledPolicy[],
  session: CompiledPolicy | undefined,
  request: EvaluatedRequest,
  resourcePolicy: CompiledPolicy | undefined,
): DenialReason | undefined {
  const alone = evaluatePolicies(policies, request);
  if (alone === 'explicitly denied') return 'explicit deny in an identity-based policy';
  const narrowed = session === undefined ? 'allowed' : evaluatePolicies([session], request);
  if (narrowed === 'explicitly denied') return 'explicit deny in a session policy';
  const together =
    resourcePolicy === undefined ? alone : evaluatePolicies(policies, request, resourcePolicy);
  if (together === 'explicitly denied') return 'explicit deny in a resource-based policy';
  if (together !== 'allowed') {
    return alone === 'allowed' ? 'no resource-based policy' : 'no identity-based policy';
  }
  return narrowed === 'allowed' ? undefined : 'no session policy';
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.set(key, value);
  if (map.size <= most) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

/** The condition keys that any of the policies asks for, with their values. */
async function contextFor(
  principal: Principal,
  permission: Permission,
  facts: RequestFacts,
  texts: readonly string[],
): Promise<Record<string, string | readonly string[]>> {
  const asked = (key: string) => texts.some((text) => text.includes(key.toLowerCase()));
  const context: Record<string, string | readonly string[]> = {};
  const add = (values: Readonly<Record<string, string | readonly string[] | undefined>>) => {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined && asked(key)) context[key] = value;
    }
  };
  add(globalContext(principal, facts));
  if (permission.context !== undefined) add(permission.context);
  if (permission.resourceTags !== undefined && asked(':ResourceTag/')) {
    for (const [key, value] of Object.entries(await permission.resourceTags())) {
      add({ [`aws:ResourceTag/${key}`]: value, [`sagemaker:ResourceTag/${key}`]: value });
    }
  }
  return context;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
function globalContext(
  principal: Principal,
  facts: RequestFacts,
): Readonly<Record<string, string | undefined>> {
  return {
    'aws:PrincipalArn': principal.kind === 'session' ? principal.roleArn : principal.arn,
    'aws:PrincipalAccount': principal.accountId,
    'aws:PrincipalType': PRINCIPAL_TYPES[principal.kind],
    'aws:userid': principal.userId,
    'aws:username': principal.kind === 'user' ? principal.userName : undefined,
    'aws:ResourceAccount': principal.accountId,
    'aws:SourceIp': facts.sourceIp,
    'aws:SecureTransport': String(facts.secure),
    'aws:RequestedRegion': facts.region,
    'aws:CurrentTime': facts.now.toISOString(),
    'aws:EpochTime': String(Math.floor(facts.now.getTime() / 1000)),
    'aws:TokenIssueTime': facts.tokenIssuedAt?.toISOString(),
  };
}

const PRINCIPAL_TYPES: Readonly<Record<Principal['kind'], string>> = {
  root: 'Account',
  user: 'User',
  session: 'AssumedRole',
  service: 'Service',
};
