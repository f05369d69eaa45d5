import { execFileSync } from 'node:child_process';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const SIZE = 16 * 1024 * 1024;

const folder = temporaryFolder('small-disk');
const mounted = mountSmallDisk();

/** A file system in memory with room for the model, its result and little more. */
function mountSmallDisk(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], {
      stdio: 'pipe',
    });
    return true;
  } catch (error) {
    console.warn(`SKIPPED: a full disk, because no file system can be mounted here: ${error}`);
    return false;
  }
}

afterAll(async () => {
  if (mounted) execFileSync('umount', ['--lazy', folder]);
});

describe.skipIf(!mounted)('a full disk', () => {
  let service: RunningService;

  beforeAll(async () => {
    service = await startTestService({ dataDir: join(folder, 'data') });
    await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  });

  afterAll(() => service?.close());

  async function run(name: string) {
    const command = createCommand({
      OptimizationJobName: name,
      OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
      OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
    });
    await service.sagemaker.send(command);
    return service.ended(name);
  }

  it('fails the job with a reason, and harms nothing else', async () => {
    expect((await run('fits')).FailureReason).toBeUndefined();
    const ballast = join(folder, 'ballast');
    await writeFile(ballast, Buffer.alloc(SIZE - 10 * 1024 * 1024));
    const job = await run('too-much');
    expect(job.OptimizationJobStatus).toBe('FAILED');
    expect(job.FailureReason).toMatch(/the output's disk has \d+ left|disk is full/);
    const published = await readdir(join(service.dataDir, 'buckets', 'models', 'out'));
    expect(published).toEqual(['fits']);
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
    await rm(ballast);
    expect((await run('fits-again')).OptimizationJobStatus).toBe('COMPLETED');
  });
});
