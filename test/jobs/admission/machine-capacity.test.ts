import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  cpuQuota,
  diskSpace,
  processingCapacity,
} from '#burnish/jobs/admission/machine-capacity.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let root: string;

beforeEach(async () => {
  root = temporaryFolder('cgroup');
});

async function files(content: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(content)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
}

describe('cpuQuota', () => {
  it('is undefined where nothing limits', async () => {
    expect(await cpuQuota(root)).toBeUndefined();
    await files({ 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' });
    expect(await cpuQuota(root)).toBeUndefined();
  });

  it('takes the least of version 2’s groups, from its own to the root', async () => {
    await files({
      'proc/self/cgroup': '0::/a/b\n',
      'sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/a/cpu.max': '150000 100000\n',
    });
    expect(await cpuQuota(root)).toBe(1.5);
  });

  it('reads the tree of version 1 that limits processors', async () => {
    await files({
      'proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/x\n2:cpuset:/\n',
      'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us': '200000\n',
      'sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    });
    expect(await cpuQuota(root)).toBe(2);
  });
});

describe('processingCapacity', () => {
  it('is what the machine has, less something for the service', async () => {
    const { cores, memoryBytes } = await processingCapacity();
    expect(cores).toBeGreaterThanOrEqual(1);
    expect(cores).toBeLessThanOrEqual(availableParallelism());
    expect(memoryBytes).toBeGreaterThan(0);
    expect(memoryBytes).toBeLessThan(totalmem());
  });

  it('is what the configuration says', async () => {
    expect(await processingCapacity({ cores: 64, memoryBytes: 7 })).toEqual({
      cores: 64,
      memoryBytes: 7,
    });
  });
});

it('knows the space of a disk', async () => {
  const { free, whole } = await diskSpace(root);
  expect(free).toBeGreaterThan(0);
  expect(whole).toBeGreaterThan(free);
});
