import {
  enumeration,
  list,
  number,
  optional,
  required,
  structure,
} from '../../service-model/shape.js';
import { BYTES, TEXT, USER } from './values.js';

const IMAGE_MAPPING_SHAPE = structure('ImageMapping', {
  from: required(TEXT, 'The beginning of an image’s name; * is any part without a slash.'),
  to: required(TEXT, 'What takes its place.'),
});

/** Images whose names begin so are taken from another place; all engines share it. */
export const IMAGE_MAPPINGS_SHAPE = list(IMAGE_MAPPING_SHAPE, { maxLength: 100 });

const REGISTRY_SHAPE = structure('Registry', {
  registry: required(TEXT, 'Host, and port where it has one.'),
  username: required(TEXT, 'Who pulls.'),
  passwordFile: required(TEXT, 'A file with the password or token.'),
});

const NETWORK_SHAPE = structure('DockerNetwork', {
  subnet: required(TEXT, 'A subnet as VpcConfig.Subnets names it.'),
  network: required(TEXT, 'The network of the engine that stands for it.'),
  securityGroupIds: optional(
    list(TEXT, { maxLength: 100 }),
    'The security groups whose rules that network enforces; a job that asks for another is refused.',
  ),
});

/** How steps run in containers of a Docker engine. */
export const DOCKER_SHAPE = structure('Docker', {
  socket: optional(TEXT, 'The engine’s Unix socket; /var/run/docker.sock by default.'),
  optimizerImage: optional(TEXT, 'The image of the built-in optimizer; burnish by default.'),
  registries: optional(list(REGISTRY_SHAPE, { maxLength: 100 }), 'Credentials for pulling.'),
  dockerConfigFile: optional(
    TEXT,
    'Credentials as `docker login` writes them; ~/.docker/config.json by default.',
  ),
  pull: optional(
    enumeration(['missing', 'always', 'never']),
    'Whether an image is pulled that the engine does not have (the default), at every step, or never.',
  ),
  user: optional(USER, 'UID:GID of the program in the container; the service’s own by default.'),
  writableRoots: optional(
    list(TEXT, { maxLength: 100 }),
    'Images, by the beginnings of their names, that can’t do with a read-only root.',
  ),
  memoryBytes: optional(
    BYTES,
    'The most memory of any container, nine tenths of the machine’s by default; a step of the built-in optimizer gets what it was estimated to take, an image what its instance type has.',
  ),
  cpus: optional(number, 'The most processors of any container; all by default.'),
  sharedMemoryBytes: optional(BYTES, 'Size of /dev/shm; 1 GiB by default.'),
  gpus: optional(
    enumeration(['auto', 'none']),
    'Whether containers see the machine’s GPUs: where the engine can hand them out (auto), or never.',
  ),
  network: optional(TEXT, 'The network of a job without VpcConfig; none by default.'),
  networks: optional(
    list(NETWORK_SHAPE, { maxLength: 100 }),
    'Which network of the engine stands for a subnet.',
  ),
});
