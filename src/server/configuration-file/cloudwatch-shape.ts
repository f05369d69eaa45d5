import { boolean, integer, optional, string, structure } from '../../service-model/shape.js';

const URL_SHAPE = string({ pattern: 'https?://.+', maxLength: 2048 });

/** Where logs and metrics go besides being served here; credentials come from the AWS default chain. */
export const CLOUDWATCH_SHAPE = structure('CloudWatch', {
  region: optional(
    string({ minLength: 1, maxLength: 64 }),
    'The region; the service’s own by default.',
  ),
  logs: optional(boolean, 'Whether the logs of jobs are put to CloudWatch Logs; true by default.'),
  metrics: optional(boolean, 'Whether metrics are put to CloudWatch; true by default.'),
  logsEndpoint: optional(URL_SHAPE, 'Of CloudWatch Logs; Amazon’s own of the region by default.'),
  metricsEndpoint: optional(URL_SHAPE, 'Of CloudWatch; Amazon’s own of the region by default.'),
  logGroup: optional(
    string({ minLength: 1, maxLength: 512, pattern: '[\\.\\-_/#A-Za-z0-9]+' }),
    'The log group; /aws/sagemaker/OptimizationJobs by default.',
  ),
  namespace: optional(
    string({ minLength: 1, maxLength: 255 }),
    'The namespace of metrics; Burnish by default.',
  ),
  periodSeconds: optional(
    integer({ min: 1, max: 3600 }),
    'How often metrics are put; every 60 seconds by default.',
  ),
});
