import { describe, expect, it } from 'vitest';
import { ServiceResponseError } from '#burnish/cli/client/errors.js';
import { withValueSuggestions } from '#burnish/cli/commands/suggest-values.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';

const refusal = (code: string) =>
  new ServiceResponseError(code, 'no', 'CreateOptimizationJob', 400);

describe('suggestions after a refusal', () => {
  it('name the values that may have been meant, wherever they stand', () => {
    const error = withValueSuggestions(
      refusal('ValidationException'),
      OPERATIONS.CreateOptimizationJob.input,
      {
        DeploymentInstanceType: 'ml.g5.xlage',
        OptimizationConfigs: [{ ModelSpeculativeDecodingConfig: { Technique: 'eagle' } }],
      },
    );
    expect(error).toMatchObject({
      exitStatus: 254,
      message: expect.stringMatching(
        /^An error occurred \(ValidationException\).*'ml.g5.xlage', maybe you meant:\n\n {2}\* ml.g5.xlarge.*'eagle', maybe you meant:\n\n {2}\* EAGLE/s,
      ),
    });
  });

  it('are left out where nothing was mistyped, or something else is wrong', () => {
    const { input } = OPERATIONS.ListOptimizationJobs;
    for (const [error, request] of [
      [refusal('ValidationException'), { StatusEquals: 'COMPLETED' }],
      [refusal('ValidationException'), { StatusEquals: 'zzz' }],
      [refusal('ThrottlingException'), { StatusEquals: 'completed' }],
      [new Error('no'), { StatusEquals: 'completed' }],
    ] as const) {
      expect(withValueSuggestions(error, input, request)).toBe(error);
    }
  });
});
