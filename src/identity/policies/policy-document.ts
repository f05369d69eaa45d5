import {
  createValidatedPolicy,
  type ValidatedPolicy,
  type ValidationError,
  validateIdentityPolicy,
  validateResourcePolicy,
  validateTrustPolicy,
} from '@cloud-copilot/iam-policy';
import { CONDITION_OPERATOR } from './condition-operators.js';
import { standIn } from './stand-in-characters.js';

/** AWS's bound on the inline policies of a role; users have the same here. Bytes of UTF-8. */
const MAX_POLICY_BYTES = 10_240;
/** Deeper than any statement; `{"Statement":[{"Condition":{"StringEquals":{"k":["v"]}}}]}` has seven. */
const MAX_DEPTH = 10;

/** A policy that can't be taken; the message names the place and what to do. */
export class MalformedPolicyError extends Error {
  override readonly name = 'MalformedPolicyError';
}

/** A policy of a user or role, who may assume a role, or who may use any other resource. */
export type PolicyKind = 'identity' | 'trust' | 'resource';

/** A policy that was parsed and found good, ready to be evaluated. */
export interface CompiledPolicy {
  readonly document: ValidatedPolicy<{ readonly name: string }>;
  /** The document in lower case, by which a context key that nobody asks for is left out. */
  readonly text: string;
}

const VALIDATORS: Readonly<Record<PolicyKind, (policy: unknown) => ValidationError[]>> = {
  identity: validateIdentityPolicy,
  trust: validateTrustPolicy,
  resource: validateResourcePolicy,
};

/**
 * Parses a policy document and checks its grammar.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 *
 * @throws MalformedPolicyError
 */
export function compilePolicy(kind: PolicyKind, name: string, text: string): CompiledPolicy {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_POLICY_BYTES) {
    throw new MalformedPolicyError(
      `The policy document has ${bytes} bytes; the most is ${MAX_POLICY_BYTES}. Split it into several policies.`,
    );
  }
  const policy = parse(text);
  checkDepth(policy, MAX_DEPTH);
  const problems = [...syntaxProblems(kind, policy), ...ownRules(policy)];
  if (problems.length > 0) {
    throw new MalformedPolicyError(
      `Syntax errors in policy: ${problems.map(({ path, message }) => (path === '' ? message : `${path.replaceAll('#', '')}: ${message}`)).join('; ')}`,
    );
  }
  const comparable = withStandIns(policy);
  return {
    document: createValidatedPolicy(comparable, () => [], { name }),
    text: JSON.stringify(comparable).toLowerCase(),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MalformedPolicyError(
      `The policy document is not valid JSON: ${(error as Error).message}`,
    );
  }
}

function checkDepth(value: unknown, left: number): void {
  if (value === null || typeof value !== 'object') return;
  if (left === 0) throw new MalformedPolicyError('The policy document is nested too deeply.');
  for (const inner of Object.values(value)) checkDepth(inner, left - 1);
}

function syntaxProblems(kind: PolicyKind, policy: unknown): readonly ValidationError[] {
  const statements = statementsOf(policy);
  if (statements === undefined) {
    return [{ path: '', message: 'the document must be an object with a Statement' }];
  }
  if (statements.length === 0) return [{ path: 'Statement', message: 'must not be empty' }];
  return VALIDATORS[kind](policy);
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The statements; undefined where it is no policy at all. */
function statementsOf(policy: unknown): readonly Json[] | undefined {
  if (!isObject(policy)) return undefined;
  const statements = [policy.Statement].flat();
  return statements.every(isObject) ? statements : undefined;
}

const listOf = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value].flat());

/** Rules of AWS's grammar that the library does not hold a policy to. */
function ownRules(policy: unknown): ValidationError[] {
  const sids = new Set<unknown>();
  return (statementsOf(policy) ?? []).flatMap((statement, index) => {
    const at = `Statement[${index}]`;
    const isRepeated = statement.Sid !== undefined && sids.has(statement.Sid);
    sids.add(statement.Sid);
    return [
      ...(isRepeated ? [{ path: `${at}.Sid`, message: 'Statement IDs (SID) must be unique' }] : []),
      ...resourceProblems(statement, at),
      ...conditionProblems(statement, at),
    ];
  });
}

function resourceProblems(statement: Json, at: string): readonly ValidationError[] {
  return (['Resource', 'NotResource'] as const).flatMap((member) =>
    listOf(statement[member])
      .filter((resource) => !(typeof resource === 'string' && /^(?:arn:|\*$)/.test(resource)))
      .map((resource) => ({
        path: `${at}.${member}`,
        message: `${JSON.stringify(resource)} must be in ARN format or "*"`,
      })),
  );
}

function conditionProblems({ Condition }: Json, at: string): readonly ValidationError[] {
  if (!isObject(Condition)) return [];
  return Object.keys(Condition)
    .filter((operator) => !CONDITION_OPERATOR.test(operator))
    .map((operator) => ({
      path: `${at}.Condition`,
      message: `Invalid Condition type: ${operator}`,
    }));
}

/** How a policy spells an asterisk that is no wildcard. */
const LITERAL_ASTERISK = '$' + '{*}';

/** The document as it is compared: a literal asterisk, and line ends, as what stands in for them. */
function withStandIns(value: unknown): unknown {
  if (typeof value === 'string')
    return standIn(value.replaceAll(LITERAL_ASTERISK, '\uf02a'), 'lines');
  if (Array.isArray(value)) return value.map(withStandIns);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withStandIns(inner)]),
  );
}
