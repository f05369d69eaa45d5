import type { IdentityStore } from '../store/identity-store.js';
import { newIdentifier } from './new-identifiers.js';

/** The role that a fresh install has for its jobs. */
const EXECUTION_ROLE = 'burnish-execution';

/** An hour, as in AWS. */
export const DEFAULT_SESSION_SECONDS = 3_600;

/** SageMaker's jobs may act as the role. */
const SAGEMAKER_TRUST = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'sagemaker.amazonaws.com' },
      Action: 'sts:AssumeRole',
    },
  ],
} as const;

/** What a job does: read and write objects, use keys, leave logs and figures. */
const EXECUTION_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Models',
      Effect: 'Allow',
      Action: [
        's3:ListBucket',
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
      ],
      Resource: 'arn:aws:s3:::*',
    },
    {
      Sid: 'Keys',
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:DescribeKey', 'kms:CreateGrant'],
      Resource: '*',
    },
    {
      Sid: 'Telemetry',
      Effect: 'Allow',
      Action: [
        'logs:CreateLogGroup',
        'logs:CreateLogStream',
        'logs:PutLogEvents',
        'logs:DescribeLogStreams',
        'cloudwatch:PutMetricData',
      ],
      Resource: '*',
    },
  ],
} as const;

/** Makes the execution role, once in the life of a record. */
export async function seedExecutionRole(store: IdentityStore): Promise<void> {
  await store.seed(
    {
      name: EXECUTION_ROLE,
      id: newIdentifier('role'),
      trust_policy: JSON.stringify(SAGEMAKER_TRUST),
      max_session_seconds: DEFAULT_SESSION_SECONDS,
      created_at: Date.now(),
    },
    { name: 'Execution', document: JSON.stringify(EXECUTION_POLICY) },
  );
}
