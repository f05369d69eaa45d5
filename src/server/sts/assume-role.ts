import type { MasterKey } from '../../encryption/master-key.js';
import { AccessDeniedError } from '../../identity/access-denied-error.js';
import type { Authorizer, RequestFacts } from '../../identity/authorizer.js';
import { DEFAULT_SESSION_SECONDS } from '../../identity/execution-role.js';
import type { IdentityDirectory, Role } from '../../identity/identity-directory.js';
import { newIdentifier, newSecret } from '../../identity/new-identifiers.js';
import { compilePolicy, MalformedPolicyError } from '../../identity/policies/policy-document.js';
import type { Principal } from '../../identity/principal.js';
import { sealSession } from '../../identity/session-token.js';
import type { XmlNode } from '../s3/xml.js';
import { StsError, validationError } from './sts-error.js';

/** STS's shortest session, and its longest for a role that assumes another. Seconds. */
const MIN_SESSION_SECONDS = 900;
const MAX_CHAINED_SECONDS = 3_600;
/** STS's bound on a session policy, in characters. */
const MAX_SESSION_POLICY = 2_048;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/.{1,512}$/;
const EXTERNAL_ID = /^[\w+=,.@:/-]{2,1224}$/;

/** What STS has that would change the session, and that this service doesn't carry out. */
const UNSUPPORTED = [
  'PolicyArns',
  'Tags',
  'TransitiveTagKeys',
  'SerialNumber',
  'TokenCode',
  'SourceIdentity',
  'ProvidedContexts',
];

export interface StsContext {
  readonly directory: IdentityDirectory;
  readonly authorizer: Authorizer;
  readonly masterKey: MasterKey;
}

export interface StsCall {
  readonly principal: Principal;
  readonly facts: RequestFacts;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Gives temporary credentials of a role to whoever its trust policy names. They are sealed into their
 * own session token, so the service keeps no record of them.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
export async function assumeRole(context: StsContext, call: StsCall): Promise<readonly XmlNode[]> {
  const { principal, facts, parameters } = call;
  const given = readParameters(parameters);
  const role = await allowedRole(context, call, given);
  const seconds = sessionSeconds(given.seconds, role, principal);
  const issuedAt = facts.now.getTime();
  const expiresAt = issuedAt + seconds * 1000;
  const session = {
    accessKeyId: newIdentifier('temporaryAccessKey'),
    secretAccessKey: newSecret(),
    roleName: role.name,
    roleId: role.id,
    sessionName: given.sessionName,
    issuedAt,
    expiresAt,
    sessionPolicy: given.policy,
  };
  const assumed = context.directory.sessionOf(role, given.sessionName, given.policy);
  return [
    [
      'AssumedRoleUser',
      [
        ['AssumedRoleId', assumed.userId],
        ['Arn', assumed.arn],
      ],
    ],
    [
      'Credentials',
      [
        ['AccessKeyId', session.accessKeyId],
        ['SecretAccessKey', session.secretAccessKey],
        ['SessionToken', sealSession(context.masterKey, session)],
        ['Expiration', new Date(expiresAt)],
      ],
    ],
  ];
}

interface Parameters {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly seconds: number | undefined;
  readonly policy: string | undefined;
  readonly externalId: string | undefined;
}

function readParameters(parameters: ReadonlyMap<string, string>): Parameters {
  for (const name of parameters.keys()) {
    const unsupported = UNSUPPORTED.find((one) => name === one || name.startsWith(`${one}.`));
    if (unsupported !== undefined) {
      throw validationError(`${unsupported} is not supported by this service. Leave it out.`);
    }
  }
  const roleArn = parameters.get('RoleArn') ?? '';
  if (!ROLE_ARN.test(roleArn)) throw validationError(`${roleArn.slice(0, 200)} is invalid`);
  const sessionName = parameters.get('RoleSessionName') ?? '';
  if (!SESSION_NAME.test(sessionName)) {
    throw validationError(
      "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]* and have a length from 2 to 64",
    );
  }
  const externalId = parameters.get('ExternalId');
  if (externalId !== undefined && !EXTERNAL_ID.test(externalId)) {
    throw validationError('ExternalId must have 2 to 1224 of the characters [\\w+=,.@:/-].');
  }
  const policy = parameters.get('Policy');
  if (policy !== undefined) checkPolicy(policy);
  return {
    roleArn,
    sessionName,
    seconds: readSeconds(parameters.get('DurationSeconds')),
    policy,
    externalId,
  };
}

function checkPolicy(policy: string): void {
  if (policy.length > MAX_SESSION_POLICY) {
    throw validationError(`Policy must have at most ${MAX_SESSION_POLICY} characters.`);
  }
  try {
    compilePolicy('identity', 'SessionPolicy', policy);
  } catch (error) {
    if (!(error instanceof MalformedPolicyError)) throw error;
    throw new StsError('MalformedPolicyDocument', error.message);
  }
}

function readSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= MIN_SESSION_SECONDS && seconds <= 43_200)) {
    throw validationError(
      `1 validation error detected: Value '${text.slice(0, 20)}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to ${MIN_SESSION_SECONDS} and less than or equal to 43200`,
    );
  }
  return seconds;
}

/** The role, if its trust policy and the caller's own policies allow it. */
async function allowedRole(
  { directory, authorizer }: StsContext,
  { principal, facts }: StsCall,
  { roleArn, sessionName, externalId }: Parameters,
): Promise<Role> {
  if (principal.kind === 'root') {
    throw new StsError('AccessDenied', 'Roles may not be assumed by root accounts.', 403);
  }
  const permission = {
    action: 'sts:AssumeRole',
    resource: roleArn,
    context: { 'sts:RoleSessionName': sessionName, 'sts:ExternalId': externalId },
  };
  const role = directory.role(roleArn);
  // A role that isn't there is told from one that isn't allowed by nothing.
  if (role === undefined) {
    throw new AccessDeniedError(principal.arn, permission, 'no identity-based policy');
  }
  await authorizer.authorize(principal, { ...permission, resourcePolicy: role.trust }, facts);
  return role;
}

function sessionSeconds(wanted: number | undefined, role: Role, principal: Principal): number {
  const chained = principal.kind === 'session';
  const most = chained
    ? Math.min(role.maxSessionSeconds, MAX_CHAINED_SECONDS)
    : role.maxSessionSeconds;
  const seconds = wanted ?? Math.min(DEFAULT_SESSION_SECONDS, most);
  if (seconds > most) {
    throw validationError(
      chained && most === MAX_CHAINED_SECONDS
        ? 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.'
        : 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
  return seconds;
}
