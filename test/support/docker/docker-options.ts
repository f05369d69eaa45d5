import type { DockerOptions } from '#burnish/executors/docker/docker-options.js';

/** What the tests' executor is set up with, beside the engine. */
export const TEST_DOCKER_OPTIONS: Omit<DockerOptions, 'socket'> = {
  optimizerImage: 'burnish-test/optimizer:1',
  imageMappings: [],
  credentials: { registries: [], dockerConfigFile: undefined },
  pull: 'never',
  user: '0:0',
  writableRoots: [],
  memoryBytes: 512 * 1024 ** 2,
  cpus: 2,
  sharedMemoryBytes: 64 * 1024 ** 2,
  gpus: 'auto',
  network: 'none',
  networks: [],
};
