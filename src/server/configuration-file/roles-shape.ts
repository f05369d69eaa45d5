import { integer, optional, string, structure } from '../../service-model/shape.js';

export const ROLES_SHAPE = structure('Roles', {
  assumeThroughSts: optional(
    structure('AssumeThroughSts', {
      endpoint: optional(
        string({ minLength: 1, maxLength: 2048, pattern: 'https?://.+' }),
        "The URL of the STS endpoint; Amazon's own of the region if not given.",
      ),
      region: optional(
        string({ minLength: 1, maxLength: 64 }),
        'The region of the endpoint; that of --s3-region if not given.',
      ),
      externalId: optional(
        string({ minLength: 2, maxLength: 1224 }),
        'The external ID that trust policies ask for.',
      ),
      sessionSeconds: optional(
        integer({ min: 900, max: 43_200 }),
        'How long temporary credentials hold before they are renewed; 3,600 if not given.',
      ),
    }),
    "With --s3-endpoint: assume the RoleArn of each job through STS, and read and write with that role's credentials instead of the service's.",
  ),
});
