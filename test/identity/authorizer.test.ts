import { describe, expect, it } from 'vitest';
import { Authorizer, type RequestFacts } from '#burnish/identity/authorizer.js';
import { type CompiledPolicy, compilePolicy } from '#burnish/identity/policies/policy-document.js';
import { rootPrincipal, type UserPrincipal } from '#burnish/identity/principal.js';

const ALICE: UserPrincipal = {
  kind: 'user',
  arn: 'arn:aws:iam::000000000000:user/alice',
  accountId: '000000000000',
  userId: 'AIDAALICE',
  userName: 'alice',
};
const FACTS: RequestFacts = { secure: true, region: 'us-east-1', now: new Date(0) };
const LIST = { action: 'sagemaker:ListOptimizationJobs', resource: '*' };

const allowing = (Action: string, Condition?: object): CompiledPolicy =>
  compilePolicy(
    'identity',
    'p',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: '*', ...(Condition ? { Condition } : {}) }],
    }),
  );

describe('the authorizer', () => {
  it('lets the administrator do everything', async () => {
    const authorizer = new Authorizer({ revision: 1, policiesOf: () => undefined });
    expect(await authorizer.allows(rootPrincipal('000000000000'), LIST, FACTS)).toBe(true);
  });

  it('denies who is no longer there', async () => {
    const authorizer = new Authorizer({ revision: 1, policiesOf: () => undefined });
    expect(await authorizer.allows(ALICE, LIST, FACTS)).toBe(false);
  });

  it('forgets what it decided as soon as policies change', async () => {
    const source = { revision: 1, policies: [allowing('sagemaker:*')] };
    const authorizer = new Authorizer({
      get revision() {
        return source.revision;
      },
      policiesOf: () => source.policies,
    });
    expect(await authorizer.allows(ALICE, LIST, FACTS)).toBe(true);
    source.policies = [];
    source.revision = 2;
    expect(await authorizer.allows(ALICE, LIST, FACTS)).toBe(false);
    source.policies = [allowing('*')];
    source.revision = 3;
    expect(await authorizer.allows(ALICE, LIST, FACTS)).toBe(true);
  });

  it('does not remember a verdict for another time where a policy asks the time', async () => {
    const until = { DateLessThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } };
    const authorizer = new Authorizer({ revision: 1, policiesOf: () => [allowing('*', until)] });
    const at = (now: string) => ({ ...FACTS, now: new Date(now) });
    expect(await authorizer.allows(ALICE, LIST, at('2025-12-31T23:59:59Z'))).toBe(true);
    expect(await authorizer.allows(ALICE, LIST, at('2026-01-01T00:00:00Z'))).toBe(false);
  });

  it('asks for the tags of a resource only where a policy does', async () => {
    let asked = 0;
    const resourceTags = async () => {
      asked += 1;
      return { team: 'a' };
    };
    const permission = { action: 'sagemaker:StopOptimizationJob', resource: 'arn:aws:x:::y' };
    const plain = new Authorizer({ revision: 1, policiesOf: () => [allowing('*')] });
    expect(await plain.allows(ALICE, { ...permission, resourceTags }, FACTS)).toBe(true);
    expect(asked).toBe(0);
    const condition = { StringEquals: { 'aws:ResourceTag/team': 'a' } };
    const tagged = new Authorizer({ revision: 1, policiesOf: () => [allowing('*', condition)] });
    expect(await tagged.allows(ALICE, { ...permission, resourceTags }, FACTS)).toBe(true);
    expect(asked).toBe(1);
  });
});
