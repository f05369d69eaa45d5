// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is how IAM spells variables.
/**
 * What IAM documents of its policies, as data: a case is one request of user `alice` (or of a role's
 * session) and what comes of it. `test/identity/policies/policy-cases.test.ts` puts them to the evaluator,
 * and `test/server/policies.test.ts` those that a client can send to the service over the wire.
 *
 * Sources: [logic] reference_policies_evaluation-logic, [operators] reference_policies_elements_condition_operators,
 * [keys] reference_policies_condition-keys, [variables] reference_policies_variables, [sets]
 * reference_policies_condition-single-vs-multi-valued-context-keys, [resource] reference_policies_elements_resource,
 * [action] reference_policies_elements_action, [notaction] reference_policies_elements_notaction, [notresource]
 * reference_policies_elements_notresource, [sessions] access_policies#policies_session, [pass] id_roles_use_passrole, all of the
 * IAM User Guide; [sagemaker] and [s3] of the Service Authorization Reference.
 */

export type Outcome = 'allowed' | 'implicitly denied' | 'explicitly denied';

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly [member: string]: unknown;
}

export interface PolicyCase {
  readonly name: string;
  /** Each list of statements is a policy of its own. */
  readonly policies: readonly (readonly Statement[])[];
  /** Set where the caller is a session of a role, narrowed by this policy. */
  readonly sessionPolicy?: readonly Statement[];
  readonly action: string;
  readonly resource: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
  readonly resourceTags?: Readonly<Record<string, string>>;
  readonly outcome: Outcome;
  /** Why a client can't send this one, or the service can't be brought into that state. */
  readonly offWire?: true;
}

export const ACCOUNT = '000000000000';
const JOBS = `arn:aws:sagemaker:us-east-1:${ACCOUNT}:optimization-job`;
const job = (name: string) => `${JOBS}/${name}`;
const object = (key: string) => `arn:aws:s3:::models/${key}`;
const BUCKET = 'arn:aws:s3:::models';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/burnish-execution`;
const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

const allow = (
  Action: string | readonly string[],
  Resource: string | readonly string[] = '*',
  Condition?: Readonly<Record<string, unknown>>,
): Statement => ({ Effect: 'Allow', Action, Resource, ...(Condition ? { Condition } : {}) });
const deny = (
  Action: string | readonly string[],
  Resource: string | readonly string[] = '*',
  Condition?: Readonly<Record<string, unknown>>,
): Statement => ({ Effect: 'Deny', Action, Resource, ...(Condition ? { Condition } : {}) });

const DESCRIBE = 'sagemaker:DescribeOptimizationJob';
const describeJob = { action: DESCRIBE, resource: job('one') };
const getObject = { action: 's3:GetObject', resource: object('team-a/model.safetensors') };

/** A condition on a describe, with the value of one key. */
const conditioned = (
  Condition: Readonly<Record<string, unknown>>,
  context: Readonly<Record<string, string | readonly string[]>>,
) => ({
  ...describeJob,
  policies: [[allow(DESCRIBE, '*', Condition)]],
  context,
  offWire: true as const,
});

export const POLICY_CASES: readonly PolicyCase[] = [
  // [logic]
  { name: 'nothing allows', policies: [], ...describeJob, outcome: 'implicitly denied' },
  {
    name: 'another action is allowed',
    policies: [[allow('sagemaker:ListOptimizationJobs')]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  { name: 'an allow', policies: [[allow(DESCRIBE)]], ...describeJob, outcome: 'allowed' },
  {
    name: 'a deny wins over an allow',
    policies: [[allow(DESCRIBE), deny(DESCRIBE)]],
    ...describeJob,
    outcome: 'explicitly denied',
  },
  {
    name: 'a deny wins whatever the order, and across policies',
    policies: [[deny('sagemaker:*')], [allow('*')]],
    ...describeJob,
    outcome: 'explicitly denied',
  },
  {
    name: 'a deny of something else does not matter',
    policies: [[allow(DESCRIBE)], [deny('sagemaker:DeleteOptimizationJob')]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'policies add up',
    policies: [[allow('s3:*')], [allow(DESCRIBE)]],
    ...describeJob,
    outcome: 'allowed',
  },
  // [action]
  { name: 'every action', policies: [[allow('*')]], ...describeJob, outcome: 'allowed' },
  {
    name: 'every action of a service',
    policies: [[allow('sagemaker:*')]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'every action of another service',
    policies: [[allow('s3:*')]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'a wildcard in the middle',
    policies: [[allow('sagemaker:*OptimizationJob*')]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'a wildcard that fits no action like this',
    policies: [[allow('sagemaker:*TrainingJob*')]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'a question mark is one character',
    policies: [[allow('sagemaker:Describe?ptimizationJob')]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'a question mark is not two characters',
    policies: [[allow('sagemaker:Describe?timizationJob')]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'the prefix and the action are case-insensitive',
    policies: [[allow('SageMaker:describeoptimizationjob')]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'a list of actions',
    policies: [[allow(['sagemaker:StopOptimizationJob', DESCRIBE])]],
    ...describeJob,
    outcome: 'allowed',
  },
  // [notaction]
  {
    name: 'NotAction allows everything else',
    policies: [[{ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'NotAction does not allow what it names',
    policies: [[{ Effect: 'Allow', NotAction: 'sagemaker:*', Resource: '*' }]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'Deny with NotAction denies everything else',
    policies: [[allow('*')], [{ Effect: 'Deny', NotAction: 'sagemaker:*', Resource: '*' }]],
    ...getObject,
    outcome: 'explicitly denied',
  },
  {
    name: 'Deny with NotAction spares what it names',
    policies: [[allow('*')], [{ Effect: 'Deny', NotAction: 'sagemaker:*', Resource: '*' }]],
    ...describeJob,
    outcome: 'allowed',
  },
  // [resource]
  {
    name: 'the resource itself',
    policies: [[allow(DESCRIBE, job('one'))]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'another resource',
    policies: [[allow(DESCRIBE, job('two'))]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'a prefix of names',
    policies: [[allow(DESCRIBE, job('team-a-*'))]],
    action: DESCRIBE,
    resource: job('team-a-7'),
    outcome: 'allowed',
  },
  {
    name: 'a name outside of the prefix',
    policies: [[allow(DESCRIBE, job('team-a-*'))]],
    action: DESCRIBE,
    resource: job('team-b-7'),
    outcome: 'implicitly denied',
  },
  {
    name: 'another account',
    policies: [[allow(DESCRIBE, 'arn:aws:sagemaker:us-east-1:111122223333:optimization-job/*')]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'any region',
    policies: [[allow(DESCRIBE, `arn:aws:sagemaker:*:${ACCOUNT}:optimization-job/*`)]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'another type of resource of the same name',
    policies: [[allow(DESCRIBE, `arn:aws:sagemaker:us-east-1:${ACCOUNT}:training-job/*`)]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'resources are case-sensitive',
    policies: [[allow('s3:GetObject', object('Team-A/*'))]],
    ...getObject,
    outcome: 'implicitly denied',
  },
  {
    name: 'an action without a resource needs the asterisk',
    policies: [[allow('sagemaker:ListOptimizationJobs', job('*'))]],
    action: 'sagemaker:ListOptimizationJobs',
    resource: '*',
    outcome: 'implicitly denied',
  },
  {
    name: 'an action without a resource has the asterisk',
    policies: [[allow('sagemaker:ListOptimizationJobs')]],
    action: 'sagemaker:ListOptimizationJobs',
    resource: '*',
    outcome: 'allowed',
  },
  // [notresource]
  {
    name: 'NotResource allows other resources',
    policies: [[{ Effect: 'Allow', Action: DESCRIBE, NotResource: job('secret-*') }]],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'NotResource does not allow what it names',
    policies: [[{ Effect: 'Allow', Action: DESCRIBE, NotResource: job('one') }]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'Deny with NotResource confines',
    policies: [
      [allow('s3:*')],
      [{ Effect: 'Deny', Action: 's3:*', NotResource: object('team-a/*') }],
    ],
    action: 's3:GetObject',
    resource: object('team-b/model'),
    outcome: 'explicitly denied',
  },
  // [s3]: buckets and objects are different resources
  {
    name: 'objects of a bucket',
    policies: [[allow('s3:GetObject', object('*'))]],
    ...getObject,
    outcome: 'allowed',
  },
  {
    name: 'the bucket alone is not its objects',
    policies: [[allow('s3:*', BUCKET)]],
    ...getObject,
    outcome: 'implicitly denied',
  },
  {
    name: 'its objects are not the bucket',
    policies: [[allow('s3:*', object('*'))]],
    action: 's3:ListBucket',
    resource: BUCKET,
    outcome: 'implicitly denied',
  },
  {
    name: 'reading is not writing',
    policies: [[allow('s3:Get*', object('*'))]],
    action: 's3:PutObject',
    resource: object('team-a/model'),
    outcome: 'implicitly denied',
  },
  {
    name: 'a list of a prefix that the condition names',
    policies: [[allow('s3:ListBucket', BUCKET, { StringLike: { 's3:prefix': ['team-a/*'] } })]],
    action: 's3:ListBucket',
    resource: BUCKET,
    context: { 's3:prefix': 'team-a/models' },
    outcome: 'allowed',
  },
  {
    name: 'a list of another prefix',
    policies: [[allow('s3:ListBucket', BUCKET, { StringLike: { 's3:prefix': ['team-a/*'] } })]],
    action: 's3:ListBucket',
    resource: BUCKET,
    context: { 's3:prefix': 'team-b/' },
    outcome: 'implicitly denied',
  },
  {
    name: 'a list without a prefix does not meet a condition on it',
    policies: [[allow('s3:ListBucket', BUCKET, { StringLike: { 's3:prefix': ['team-a/*'] } })]],
    action: 's3:ListBucket',
    resource: BUCKET,
    outcome: 'implicitly denied',
  },
  {
    name: 'a key that is an asterisk is no wildcard',
    policies: [[allow('s3:GetObject', object('team-a/*'))]],
    action: 's3:GetObject',
    resource: object('*'),
    outcome: 'implicitly denied',
  },
  {
    name: 'an escaped asterisk in a policy is that character',
    policies: [[allow('s3:GetObject', object('${*}'))]],
    action: 's3:GetObject',
    resource: object('*'),
    outcome: 'allowed',
  },
  {
    name: 'an escaped asterisk in a policy is no wildcard',
    policies: [[allow('s3:GetObject', object('${*}'))]],
    action: 's3:GetObject',
    resource: object('x'),
    outcome: 'implicitly denied',
  },
  {
    name: 'a line end in a key does not get it past a deny',
    policies: [[allow('s3:*')], [deny('s3:GetObject', object('secret*'))]],
    action: 's3:GetObject',
    resource: object('secret\nmodel'),
    outcome: 'explicitly denied',
  },
  // [variables]
  {
    name: 'the name of the user in a resource',
    policies: [[allow('s3:GetObject', object('home/${aws:username}/*'))]],
    action: 's3:GetObject',
    resource: object('home/alice/x'),
    outcome: 'allowed',
  },
  {
    name: "another user's folder",
    policies: [[allow('s3:GetObject', object('home/${aws:username}/*'))]],
    action: 's3:GetObject',
    resource: object('home/bob/x'),
    outcome: 'implicitly denied',
  },
  {
    name: 'a variable without a value matches nothing',
    policies: [[allow('s3:GetObject', object('${aws:PrincipalTag/team}/*'))]],
    ...getObject,
    outcome: 'implicitly denied',
  },
  {
    name: 'a variable in a condition',
    policies: [
      [allow('s3:ListBucket', BUCKET, { StringLike: { 's3:prefix': 'home/${aws:username}/*' } })],
    ],
    action: 's3:ListBucket',
    resource: BUCKET,
    context: { 's3:prefix': 'home/alice/' },
    outcome: 'allowed',
  },
  // Tags: [keys] aws:RequestTag, aws:TagKeys, aws:ResourceTag
  {
    name: 'tags that are asked for',
    policies: [
      [allow('sagemaker:AddTags', '*', { StringEquals: { 'aws:RequestTag/team': 'vision' } })],
    ],
    action: 'sagemaker:AddTags',
    resource: job('tagged-1'),
    context: { 'aws:RequestTag/team': 'vision', 'aws:TagKeys': ['team'] },
    outcome: 'allowed',
  },
  {
    name: 'a tag of another value',
    policies: [
      [allow('sagemaker:AddTags', '*', { StringEquals: { 'aws:RequestTag/team': 'vision' } })],
    ],
    action: 'sagemaker:AddTags',
    resource: job('tagged-1'),
    context: { 'aws:RequestTag/team': 'speech', 'aws:TagKeys': ['team'] },
    outcome: 'implicitly denied',
  },
  {
    name: 'only keys of a list, with others beside them',
    policies: [
      [
        allow('sagemaker:AddTags', '*', {
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'cost'] },
        }),
      ],
    ],
    action: 'sagemaker:AddTags',
    resource: job('tagged-1'),
    context: { 'aws:RequestTag/team': 'a', 'aws:RequestTag/x': 'b', 'aws:TagKeys': ['team', 'x'] },
    outcome: 'implicitly denied',
  },
  {
    name: 'only keys of a list',
    policies: [
      [
        allow('sagemaker:DeleteTags', '*', {
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'cost'] },
        }),
      ],
    ],
    action: 'sagemaker:DeleteTags',
    resource: job('tagged-1'),
    context: { 'aws:TagKeys': ['cost'] },
    outcome: 'allowed',
  },
  {
    name: 'a key that must not be touched',
    policies: [
      [allow('sagemaker:*')],
      [
        deny('sagemaker:DeleteTags', '*', {
          'ForAnyValue:StringEquals': { 'aws:TagKeys': 'team' },
        }),
      ],
    ],
    action: 'sagemaker:DeleteTags',
    resource: job('tagged-1'),
    context: { 'aws:TagKeys': ['cost', 'team'] },
    outcome: 'explicitly denied',
  },
  {
    name: 'tags that the resource has',
    policies: [[allow(DESCRIBE, '*', { StringEquals: { 'aws:ResourceTag/team': 'vision' } })]],
    action: DESCRIBE,
    resource: job('tagged-2'),
    resourceTags: { team: 'vision' },
    outcome: 'allowed',
  },
  {
    name: "another team's resource",
    policies: [[allow('*', '*', { StringEquals: { 'aws:ResourceTag/team': 'vision' } })]],
    action: 'sagemaker:StopOptimizationJob',
    resource: job('tagged-3'),
    resourceTags: { team: 'speech' },
    outcome: 'implicitly denied',
  },
  {
    name: 'a resource without the tag',
    policies: [[allow('*', '*', { StringEquals: { 'aws:ResourceTag/team': 'vision' } })]],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: "SageMaker's own spelling of the key",
    policies: [
      [allow(DESCRIBE, '*', { StringEquals: { 'sagemaker:ResourceTag/team': 'vision' } })],
    ],
    action: DESCRIBE,
    resource: job('tagged-2'),
    resourceTags: { team: 'vision' },
    outcome: 'allowed',
  },
  {
    name: 'a deny of what lacks a tag',
    policies: [
      [allow('sagemaker:*')],
      [deny('sagemaker:DeleteOptimizationJob', '*', { Null: { 'aws:ResourceTag/owner': 'true' } })],
    ],
    action: 'sagemaker:DeleteOptimizationJob',
    resource: job('tagged-2'),
    resourceTags: { team: 'vision' },
    outcome: 'explicitly denied',
  },
  // [pass]
  {
    name: 'a role is passed to SageMaker',
    policies: [
      [
        allow('iam:PassRole', ROLE, {
          StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
        }),
      ],
    ],
    action: 'iam:PassRole',
    resource: ROLE,
    context: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
    outcome: 'allowed',
    offWire: true,
  },
  {
    name: 'a role may be passed to another service only',
    policies: [
      [
        allow('iam:PassRole', ROLE, {
          StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' },
        }),
      ],
    ],
    action: 'iam:PassRole',
    resource: ROLE,
    context: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
    outcome: 'implicitly denied',
    offWire: true,
  },
  {
    name: 'another role may be passed',
    policies: [[allow('iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/other`)]],
    action: 'iam:PassRole',
    resource: ROLE,
    context: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
    outcome: 'implicitly denied',
    offWire: true,
  },
  // [operators]
  {
    name: 'StringEquals is case-sensitive',
    ...conditioned({ StringEquals: { 'aws:username': 'Alice' } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: 'StringEqualsIgnoreCase is not',
    ...conditioned({ StringEqualsIgnoreCase: { 'aws:username': 'ALICE' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'StringNotEquals holds for a key that is missing',
    ...conditioned({ StringNotEquals: { 'aws:PrincipalTag/team': 'x' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'StringEquals does not hold for a key that is missing',
    ...conditioned({ StringEquals: { 'aws:PrincipalTag/team': 'x' } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: '…IfExists holds for a key that is missing',
    ...conditioned({ StringEqualsIfExists: { 'aws:PrincipalTag/team': 'x' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'several values of a condition are alternatives',
    ...conditioned({ StringEquals: { 'aws:username': ['bob', 'alice'] } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'several values of a negated condition must all differ',
    ...conditioned({ StringNotEquals: { 'aws:username': ['bob', 'alice'] } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: 'several keys of a condition must all hold',
    ...conditioned(
      { StringEquals: { 'aws:username': 'alice', 'aws:RequestedRegion': 'eu-west-1' } },
      {},
    ),
    outcome: 'implicitly denied',
  },
  {
    name: 'several operators must all hold',
    ...conditioned(
      { StringLike: { 'aws:username': 'al*' }, Bool: { 'aws:SecureTransport': 'false' } },
      {},
    ),
    outcome: 'allowed',
  },
  {
    name: 'Bool asks for TLS',
    ...conditioned({ Bool: { 'aws:SecureTransport': 'true' } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: 'NotPrincipal is not of identities, so conditions on the ARN serve',
    ...conditioned({ ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/al*` } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'an address within a block',
    ...conditioned({ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'an address outside of a block',
    ...conditioned({ IpAddress: { 'aws:SourceIp': '198.51.100.0/24' } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: 'NotIpAddress denies from elsewhere',
    ...describeJob,
    policies: [
      [allow('*')],
      [deny('*', '*', { NotIpAddress: { 'aws:SourceIp': ['192.0.2.0/24', '198.51.100.0/24'] } })],
    ],
    offWire: true,
    outcome: 'explicitly denied',
  },
  {
    name: 'a date that is over',
    ...conditioned({ DateLessThan: { 'aws:CurrentTime': '2020-04-01T00:00:00Z' } }, {}),
    outcome: 'implicitly denied',
  },
  {
    name: 'a date that has come',
    ...conditioned({ DateGreaterThan: { 'aws:CurrentTime': '2020-04-01T00:00:00Z' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'seconds of the epoch as a number',
    ...conditioned({ NumericGreaterThan: { 'aws:EpochTime': '1585699200' } }, {}),
    outcome: 'allowed',
  },
  {
    name: 'a number that is too large',
    policies: [
      [allow('s3:ListBucket', BUCKET, { NumericLessThanEquals: { 's3:max-keys': '10' } })],
    ],
    action: 's3:ListBucket',
    resource: BUCKET,
    context: { 's3:max-keys': '100' },
    outcome: 'implicitly denied',
  },
  {
    name: 'a number that is small enough',
    policies: [
      [allow('s3:ListBucket', BUCKET, { NumericLessThanEquals: { 's3:max-keys': '10' } })],
    ],
    action: 's3:ListBucket',
    resource: BUCKET,
    context: { 's3:max-keys': '10' },
    outcome: 'allowed',
  },
  {
    name: 'the region that is asked for',
    ...conditioned({ StringEquals: { 'aws:RequestedRegion': 'us-east-1' } }, {}),
    outcome: 'allowed',
  },
  // [sets]
  {
    name: 'ForAllValues holds for a key that is missing',
    policies: [
      [
        allow('sagemaker:AddTags', '*', {
          'ForAllValues:StringEquals': { 'aws:PrincipalOrgPaths': 'o/r/ou' },
        }),
      ],
    ],
    action: 'sagemaker:AddTags',
    resource: job('tagged-1'),
    offWire: true,
    outcome: 'allowed',
  },
  {
    name: 'ForAnyValue does not hold for a key that is missing',
    policies: [
      [
        allow('sagemaker:AddTags', '*', {
          'ForAnyValue:StringEquals': { 'aws:PrincipalOrgPaths': 'o/r/ou' },
        }),
      ],
    ],
    action: 'sagemaker:AddTags',
    resource: job('tagged-1'),
    offWire: true,
    outcome: 'implicitly denied',
  },
  // KMS, Logs, CloudWatch: what the role does
  {
    name: 'a key that the policy names',
    policies: [[allow(['kms:GenerateDataKey', 'kms:Decrypt'], KEY)]],
    action: 'kms:GenerateDataKey',
    resource: KEY,
    offWire: true,
    outcome: 'allowed',
  },
  {
    name: 'a key without a policy for it',
    policies: [[allow('s3:*')]],
    action: 'kms:Decrypt',
    resource: KEY,
    offWire: true,
    outcome: 'implicitly denied',
  },
  {
    name: 'a key that is denied',
    policies: [[allow('*')], [deny('kms:Decrypt', KEY)]],
    action: 'kms:Decrypt',
    resource: KEY,
    offWire: true,
    outcome: 'explicitly denied',
  },
  {
    name: 'the logs of the jobs',
    policies: [
      [allow('logs:GetLogEvents', `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/sagemaker/*`)],
    ],
    action: 'logs:GetLogEvents',
    resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/sagemaker/OptimizationJobs:log-stream:one/1-quantization`,
    outcome: 'allowed',
  },
  {
    name: "one job's logs alone",
    policies: [
      [
        allow(
          'logs:GetLogEvents',
          `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/sagemaker/OptimizationJobs:log-stream:mine/*`,
        ),
      ],
    ],
    action: 'logs:GetLogEvents',
    resource: `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:/aws/sagemaker/OptimizationJobs:log-stream:one/1-quantization`,
    outcome: 'implicitly denied',
  },
  {
    name: 'figures have no resource',
    policies: [
      [
        allow('cloudwatch:PutMetricData', '*', {
          StringEquals: { 'cloudwatch:namespace': 'Burnish' },
        }),
      ],
    ],
    action: 'cloudwatch:PutMetricData',
    resource: '*',
    context: { 'cloudwatch:namespace': 'Burnish' },
    offWire: true,
    outcome: 'allowed',
  },
  // [sessions]: what the role may and the session policy allows
  {
    name: 'a session policy narrows',
    policies: [[allow('*')]],
    sessionPolicy: [allow('s3:*')],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'a session policy does not widen',
    policies: [[allow('s3:*')]],
    sessionPolicy: [allow('*')],
    ...describeJob,
    outcome: 'implicitly denied',
  },
  {
    name: 'both allow',
    policies: [[allow('sagemaker:*')]],
    sessionPolicy: [allow(DESCRIBE)],
    ...describeJob,
    outcome: 'allowed',
  },
  {
    name: 'a session policy denies',
    policies: [[allow('*')]],
    sessionPolicy: [allow('*'), deny(DESCRIBE)],
    ...describeJob,
    outcome: 'explicitly denied',
  },
];
