import { describe, expect, it } from 'vitest';
import { AccessDeniedError } from '#burnish/identity/access-denied-error.js';
import { Authorizer, type RequestFacts } from '#burnish/identity/authorizer.js';
import { compilePolicy } from '#burnish/identity/policies/policy-document.js';
import type { Principal } from '#burnish/identity/principal.js';
import { ACCOUNT, POLICY_CASES, type PolicyCase, type Statement } from './policy-cases.js';

const FACTS: RequestFacts = {
  sourceIp: '203.0.113.7',
  secure: false,
  region: 'us-east-1',
  now: new Date('2026-01-01T00:00:00Z'),
};

const document = (statements: readonly Statement[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

const ALICE: Principal = {
  kind: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  accountId: ACCOUNT,
  userId: 'AIDAALICE',
  userName: 'alice',
};

function principalOf({ sessionPolicy }: PolicyCase): Principal {
  if (sessionPolicy === undefined) return ALICE;
  return {
    kind: 'session',
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/team/alice`,
    accountId: ACCOUNT,
    userId: 'AROATEAM:alice',
    roleName: 'team',
    roleArn: `arn:aws:iam::${ACCOUNT}:role/team`,
    sessionPolicy: document(sessionPolicy),
  };
}

/** What comes of a case, read from AWS's message. */
async function outcomeOf(one: PolicyCase) {
  const policies = one.policies.map((statements, index) =>
    compilePolicy('identity', `policy-${index}`, document(statements)),
  );
  const authorizer = new Authorizer({ revision: 1, policiesOf: () => policies });
  const permission = {
    action: one.action,
    resource: one.resource,
    ...(one.context === undefined ? {} : { context: one.context }),
    resourceTags: async () => one.resourceTags ?? {},
  };
  try {
    await authorizer.authorize(principalOf(one), permission, FACTS);
    return 'allowed';
  } catch (error) {
    expect(error).toBeInstanceOf(AccessDeniedError);
    const { message } = error as AccessDeniedError;
    return message.includes('with an explicit deny') ? 'explicitly denied' : 'implicitly denied';
  }
}

describe('what IAM documents of policies', () => {
  it('is at least sixty cases, each with a name of its own', () => {
    expect(POLICY_CASES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(POLICY_CASES.map(({ name }) => name)).size).toBe(POLICY_CASES.length);
  });

  it.each(POLICY_CASES.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    expect(await outcomeOf(one)).toBe(one.outcome);
  });
});
