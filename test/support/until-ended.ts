import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeOptimizationJobCommand,
  type DescribeOptimizationJobCommandOutput,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';

/** The states that no job leaves. */
export const END_STATES: readonly string[] = ['COMPLETED', 'FAILED', 'STOPPED'];

/** Waits until a job has ended, asking every `pauseMs` milliseconds, and returns its description. */
export async function untilEnded(
  client: SageMakerClient,
  name: string,
  pauseMs = 50,
): Promise<DescribeOptimizationJobCommandOutput> {
  for (;;) {
    const job = await client.send(
      new DescribeOptimizationJobCommand({ OptimizationJobName: name }),
    );
    if (END_STATES.includes(job.OptimizationJobStatus ?? '')) return job;
    await delay(pauseMs);
  }
}
