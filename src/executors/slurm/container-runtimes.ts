import type { ContainerMount } from '../lmi-container.js';
import type { ContainerRuntimeName } from './slurm-options.js';

/** An image that a node of the cluster is to run. */
export interface NodeContainer {
  /** The runtime on the node. */
  readonly program: string;
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  readonly hasGpus: boolean;
  /** Of the configuration. */
  readonly extraArguments: readonly string[];
  /** A folder for what the runtime makes of the image. */
  readonly scratch: string;
}

/** How a node runs an image without a daemon. */
interface ContainerRuntime {
  /** Runs first, and ends by itself; undefined where nothing has to be made ready. */
  prepare(container: NodeContainer): readonly string[] | undefined;
  /** The program that takes the container's place. */
  command(container: NodeContainer): readonly string[];
  /** Variables of that program's environment. */
  environment(container: NodeContainer): Readonly<Record<string, string>>;
}

const imageFile = ({ scratch }: NodeContainer) => `${scratch}/image.sqsh`;

/** Enroot writes the registry before a `#`. */
function enrootUri(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  return hasRegistry ? `docker://${first}#${rest.join('/')}` : `docker://${image}`;
}

/**
 * Source: the command references of Apptainer (`run`) and Enroot (`import`, `start`). Variables go to
 * Apptainer through its own prefix, since its files of variables are read by a shell.
 */
export const CONTAINER_RUNTIMES: Readonly<Record<ContainerRuntimeName, ContainerRuntime>> = {
  apptainer: {
    prepare: () => undefined,
    command: ({ program, image, mounts, hasGpus, extraArguments }) => [
      program,
      'run',
      '--containall',
      '--no-home',
      ...mounts.flatMap(({ source, target, readOnly }) => [
        '--bind',
        `${source}:${target}:${readOnly ? 'ro' : 'rw'}`,
      ]),
      ...(hasGpus ? ['--nv'] : []),
      ...extraArguments,
      image.startsWith('/') ? image : `docker://${image}`,
    ],
    environment: ({ environment }) =>
      Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [`APPTAINERENV_${name}`, value]),
      ),
  },
  enroot: {
    prepare: (container) => [
      container.program,
      'import',
      '--output',
      imageFile(container),
      enrootUri(container.image),
    ],
    command: (container) => [
      container.program,
      'start',
      ...container.mounts.flatMap(({ source, target, readOnly }) => [
        '--mount',
        `${source}:${target}:x-create=dir,rbind,${readOnly ? 'ro' : 'rw'}`,
      ]),
      ...Object.entries(container.environment).flatMap(([name, value]) => [
        '--env',
        `${name}=${value}`,
      ]),
      ...container.extraArguments,
      imageFile(container),
    ],
    environment: () => ({}),
  },
};
