import { appendFile, chown, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { endedStep } from '../ended-step.js';
import { type Executor, ExecutorError, type StepPlace, type StepRequest } from '../executor.js';
import { writeImageRecord } from '../images/image-record.js';
import { mapImage, parseImageReference } from '../images/image-reference.js';
import { prepareContainerStep, stepLabels } from '../lmi-container.js';
import { readExitFile } from '../read-exit-file.js';
import { containerOptions } from './container-options.js';
import type { DockerOptions } from './docker-options.js';
import { connectEngine, engineCapacity, engineTrouble, statusOf } from './engine.js';
import { networksOf } from './network-of.js';
import { ensureImage } from './pull-image.js';
import { followContainer } from './running-container.js';

/** Runs steps in containers of a Docker engine on this machine, under the LMI contract. */
export function createDockerExecutor(options: DockerOptions): Executor {
  const engine = connectEngine(options.socket);
  return {
    async refusal({ image = options.optimizerImage, network }) {
      try {
        parseImageReference(mapImage(image, options.imageMappings));
        networksOf(network, options);
      } catch (error) {
        if (error instanceof ExecutorError) return error.message;
        throw error;
      }
      const trouble = await engineTrouble(engine);
      if (trouble === undefined) return undefined;
      return `Image ${image} needs a container engine, and none answers at ${options.socket} (${trouble}).`;
    },

    async start(request, signal) {
      await mkdir(dirname(request.logFile), { recursive: true });
      const note = (line: string) =>
        appendFile(request.logFile, `${new Date().toISOString()} ${line}\n`);
      const asked = request.image ?? options.optimizerImage;
      const { local, record } = await ensureImage(engine, asked, options, note, signal);
      await writeImageRecord(request.folders, record);
      await removeContainers(engine, request);
      const step = await prepareContainerStep(request);
      await giveFolders(request, options.user);
      const [network = options.network, ...others] = networksOf(request.network, options);
      const place = { network, ...(await engineCapacity(engine)) };
      try {
        const container = await engine.createContainer(
          containerOptions(request, step, local, options, place),
        );
        for (const name of others) {
          await engine.getNetwork(name).connect({ Container: container.id });
        }
        signal.throwIfAborted();
        await container.start();
        return await followContainer(container, request);
      } catch (error) {
        await removeContainers(engine, request);
        signal.throwIfAborted();
        throw new ExecutorError(
          `The container of the step could not be started: ${(error as Error).message}`,
        );
      }
    },

    async adopt(handle, place) {
      const { container: id } = handle as { readonly container: string };
      const [found] = await findContainers(engine, place);
      if (found !== undefined && found.Id === id) {
        return await followContainer(engine.getContainer(id), place);
      }
      const code = await readExitFile(place.folders.exitFile);
      return code === undefined ? undefined : endedStep(handle, code);
    },

    async reap(place) {
      // Where no engine answers there is nothing that could be ended.
      if ((await engineTrouble(engine)) !== undefined) return;
      await removeContainers(engine, place);
    },
  };
}

/** All containers of a step, also those that have ended. */
function findContainers(engine: Docker, place: Pick<StepPlace, 'job' | 'step' | 'folders'>) {
  const label = Object.entries(stepLabels(place)).map(([name, value]) => `${name}=${value}`);
  return engine.listContainers({ all: true, filters: { label } });
}

async function removeContainers(engine: Docker, place: StepPlace): Promise<void> {
  for (const { Id } of await findContainers(engine, place)) {
    try {
      await engine.getContainer(Id).remove({ force: true, v: true });
    } catch (error) {
      // Gone, or being removed.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
    }
  }
}

/** A service that runs as root hands the step's own folders to the user of the container. */
async function giveFolders({ folders, image }: StepRequest, user: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const [uid = 0, gid = uid] = user.split(':').map(Number);
  const { root, output, cache, errors, temporary, resume } = folders;
  for (const folder of [root, output, cache, errors, temporary]) await chown(folder, uid, gid);
  if (image !== undefined) return;
  // What other attempts finished may be another user's.
  for (const folder of [dirname(root), dirname(resume), resume]) await chown(folder, uid, gid);
  for (const name of await readdir(resume, { recursive: true })) {
    await chown(join(resume, name), uid, gid);
  }
}
