import { ExecutorError } from '../executor.js';

/** The registry that a name without one means. */
export const DEFAULT_REGISTRY = 'docker.io';

/** A container image, taken apart. */
export interface ImageReference {
  /** Host, and port where it has one. */
  readonly registry: string;
  /** Path in the registry; `library/` is put before Docker Hub's official images. */
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:…` */
  readonly digest: string | undefined;
}

/** Source: the grammar of references in the OCI distribution project. */
const REFERENCE =
  /^(?<name>[a-zA-Z0-9][a-zA-Z0-9._/-]*(?::[0-9]{1,5}\/[a-zA-Z0-9._/-]+)?)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/**
 * Takes an image's name apart.
 * @throws ExecutorError when it is none
 */
export function parseImageReference(text: string): ImageReference {
  const { name = '', tag, digest } = REFERENCE.exec(text)?.groups ?? {};
  if (name === '') {
    throw new ExecutorError(
      `Image ${text} is no name of a container image; REGISTRY/REPOSITORY:TAG and REPOSITORY@sha256:… are.`,
    );
  }
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasRegistry ? rest.join('/') : name;
  const registry = hasRegistry ? first : DEFAULT_REGISTRY;
  const official = registry === DEFAULT_REGISTRY && !path.includes('/');
  return { registry, repository: official ? `library/${path}` : path, tag, digest };
}

/** Images whose names begin so are taken from another place. */
export interface ImageMapping {
  /** The beginning of a name, up to a `/`, a `:`, an `@` or the end; `*` is any part without a `/`. */
  readonly from: string;
  /** What takes its place. */
  readonly to: string;
}

/** The name under which an image is pulled: the first mapping that fits is applied. */
export function mapImage(image: string, mappings: readonly ImageMapping[]): string {
  for (const { from, to } of mappings) {
    const pattern = from
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^/]*?');
    const rest = new RegExp(`^${pattern}(?<rest>$|[/:@].*)`).exec(image)?.groups?.rest;
    if (rest !== undefined) return `${to}${rest}`;
  }
  return image;
}
