import { setFlagsFromString } from 'node:v8';
import { runUnsafeSimulation } from '@cloud-copilot/iam-simulate';
import type { CompiledPolicy } from './policy-document.js';
import { standIn } from './stand-in-characters.js';

// A pattern with many wildcards against a long name makes V8 try very many ways; with this it goes over
// to an engine whose time is linear before that takes long.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

/** What a request wants to do, and all that conditions may ask about it. */
export interface EvaluatedRequest {
  readonly principalArn: string;
  readonly accountId: string;
  /** For example `sagemaker:DescribeOptimizationJob`. */
  readonly action: string;
  /** An ARN, or `*` where the action is not on one resource. */
  readonly resource: string;
  /** Keys that have several values (`aws:TagKeys`) as lists. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

export type Verdict = 'allowed' | 'implicitly denied' | 'explicitly denied';

/** Where an action is on no resource only the policies' asterisk fits, never an ARN. */
const NO_RESOURCE = standIn('arn:*:*:*:*:*', 'resource');

const VERDICTS: Readonly<Record<string, Verdict>> = {
  Allowed: 'allowed',
  ImplicitlyDenied: 'implicitly denied',
  ExplicitlyDenied: 'explicitly denied',
};

/**
 * What policies of an identity say to a request, by IAM's logic: an explicit deny wins, then an allow,
 * and what nothing allows is denied.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 *
 * @param resourcePolicy what the resource itself says: a role's trust policy, a key's policy
 */
export function evaluatePolicies(
  policies: readonly CompiledPolicy[],
  request: EvaluatedRequest,
  resourcePolicy?: CompiledPolicy,
): Verdict {
  const contextVariables: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(request.context)) {
    contextVariables[key] =
      typeof value === 'string'
        ? standIn(value, 'lines')
        : value.map((one) => standIn(one, 'lines'));
  }
  const resource = request.resource === '*' ? NO_RESOURCE : standIn(request.resource, 'resource');
  const result = runUnsafeSimulation(
    {
      request: {
        principal: request.principalArn,
        action: request.action,
        resource: { resource, accountId: request.accountId },
        contextVariables,
      },
      identityPolicies: policies.map(({ document }) => ({
        name: document.metadata?.name ?? '',
        policy: document,
      })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy === undefined ? {} : { resourcePolicy: resourcePolicy.document }),
    },
    {},
  );
  return VERDICTS[result] ?? 'implicitly denied';
}
