import { fileURLToPath } from 'node:url';
import { createDockerExecutor } from '#burnish/executors/docker/docker-executor.js';
import { TEST_DOCKER_OPTIONS } from '../../support/docker/docker-options.js';
import { importTestImage, testEngine } from '../../support/docker/test-image.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { describeExecutor } from './executor-conformance.js';

const PROGRAM = fileURLToPath(new URL('../../support/step-program.mjs', import.meta.url));
/** Says that the program is an ECMAScript module. */
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));
const { socket } = testEngine();

async function subject(change: { readonly image?: string; readonly user: string }) {
  const { user, ...rest } = change;
  return {
    ...rest,
    folder: temporaryFolder('docker'),
    create: () => createDockerExecutor({ ...TEST_DOCKER_OPTIONS, socket, user }),
    protectsInput: true,
  };
}

describeExecutor('a container of an image', async () => {
  const image = 'burnish-test/stand-in:1';
  await importTestImage(socket, {
    name: image,
    files: { '/program/step-program.mjs': PROGRAM },
    changes: ['ENTRYPOINT ["/usr/local/bin/node", "/program/step-program.mjs"]'],
  });
  // Neither root nor anyone whom the image knows.
  return { ...(await subject({ image, user: '4711:4711' })), settings: 'environment' };
});

describeExecutor('a container of the built-in optimizer', async () => {
  await importTestImage(socket, {
    name: TEST_DOCKER_OPTIONS.optimizerImage,
    files: {
      '/opt/burnish/dist/optimizer/main.js': PROGRAM,
      '/opt/burnish/package.json': PACKAGE,
    },
    changes: [],
  });
  return { ...(await subject({ user: '0:0' })), settings: 'data' };
});
