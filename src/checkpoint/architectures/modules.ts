import { CheckpointError } from '../errors.js';
import type { HfConfig } from '../hf-config.js';
import type { TensorInfo } from '../safetensors/reader.js';
import { type Architecture, EXPERT } from './architecture.js';
import { findArchitecture, isTied } from './find-architecture.js';
import { guessRole, looksTransposed } from './generic.js';

/** Where a module sits: `model.layers`, 3 and `mlp.down_proj` of `model.layers.3.mlp.down_proj`.
 * Numbers of experts are replaced by `{expert}` in `member`. */
export interface BlockPlace {
  readonly path: string;
  readonly index: number;
  readonly member: string;
}

/** A linear layer of a decoder block. */
export interface LinearLayer {
  readonly module: string;
  readonly weight: TensorInfo;
  readonly place: BlockPlace;
  /** Layers with the same key must share one scheme. */
  readonly familyKey: string;
  readonly servedAs: readonly string[];
}

/** What another module with a two-dimensional weight is. */
export type OtherRole = 'router' | 'embedding' | 'foreign' | 'other';

export interface OtherModule {
  readonly module: string;
  readonly weight: TensorInfo;
  readonly role: OtherRole;
  readonly place: BlockPlace | undefined;
}

/** The modules of a model that have a two-dimensional weight. */
export interface ModuleMap {
  /** The architecture's name; undefined where the layers were found by the generic rule. */
  readonly architecture: string | undefined;
  readonly linears: readonly LinearLayer[];
  /** The output layer, if it has a weight of its own. */
  readonly head: { readonly module: string; readonly weight: TensorInfo } | undefined;
  /** Whether the output layer uses the input embedding's weight. */
  readonly headIsTied: boolean;
  readonly others: readonly OtherModule[];
}

/** Parts of multimodal models beside the language model, and extra prediction heads. */
const FOREIGN_PARTS: ReadonlySet<string> = new Set([
  'vision_tower',
  'vision_model',
  'vision_encoder',
  'visual',
  'multi_modal_projector',
  'mm_projector',
  'image_newline',
  'audio_tower',
  'audio_encoder',
  'speech_encoder',
  'embed_vision',
  'embed_audio',
  'connector',
  'aligner',
  'mtp',
]);

const HEADS: ReadonlySet<string> = new Set(['lm_head', 'embed_out']);

const WEIGHT = '.weight';

/** Finds the linear layers among a checkpoint's tensors: by the table of architectures, or, for a
 * model it does not know, every two-dimensional weight inside a numbered block that is not a router,
 * an embedding or a norm.
 * @throws CheckpointError for models whose layers are stored in a way that cannot be quantized. */
export function mapModules(config: HfConfig, tensors: Iterable<TensorInfo>): ModuleMap {
  const architecture = findArchitecture(config);
  const linears: LinearLayer[] = [];
  const others: OtherModule[] = [];
  let head: ModuleMap['head'];
  for (const weight of tensors) {
    if (!weight.name.endsWith(WEIGHT) || weight.shape.length !== 2) continue;
    const module = weight.name.slice(0, -WEIGHT.length);
    const parts = module.split('.');
    if (HEADS.has(parts.at(-1) ?? '') && findPlace(parts, undefined) === undefined) {
      head = { module, weight };
      continue;
    }
    const place = findPlace(parts, architecture?.blocks);
    const role =
      foreignPart(module) !== undefined
        ? 'foreign'
        : place === undefined
          ? outsideRole(module)
          : roleInBlock(place.member, architecture);
    if (typeof role === 'string') {
      others.push({ module, weight, role, place });
    } else if (place !== undefined) {
      if (architecture === undefined && looksTransposed(module, weight.shape)) {
        throw new CheckpointError(
          'looks like a layer that is stored transposed (as Conv1D); such models cannot be quantized',
          { file: weight.file, tensor: weight.name },
        );
      }
      const familyKey = `${place.path}.${place.index}.${role.family}`;
      linears.push({ module, weight, place, familyKey, servedAs: role.servedAs });
    }
  }
  return {
    architecture: architecture?.name,
    linears,
    head,
    headIsTied: head === undefined || isTied(config, architecture),
    others,
  };
}

/** The part of a multimodal model beside its language model that a module belongs to, if it does. */
export function foreignPart(module: string): string | undefined {
  return module.split('.').find((part) => FOREIGN_PARTS.has(part));
}

const NUMBER = /^\d{1,9}$/;

/** @param blocks name of the list of blocks; any numbered list if undefined. */
function findPlace(parts: readonly string[], blocks: string | undefined): BlockPlace | undefined {
  const at = parts.findIndex(
    (part, index) =>
      index > 0 &&
      index < parts.length - 1 &&
      NUMBER.test(part) &&
      (blocks === undefined || parts[index - 1] === blocks),
  );
  if (at === -1) return undefined;
  const member = parts
    .slice(at + 1)
    .map((part, index, rest) =>
      rest[index - 1] === 'experts' && NUMBER.test(part) ? EXPERT : part,
    )
    .join('.');
  return { path: parts.slice(0, at).join('.'), index: Number(parts[at]), member };
}

function outsideRole(module: string): OtherRole {
  return /embed|(^|\.)(wte|wpe)$/i.test(module) ? 'embedding' : 'other';
}

function roleInBlock(
  member: string,
  architecture: Architecture | undefined,
): OtherRole | { readonly family: string; readonly servedAs: readonly string[] } {
  if (architecture === undefined) {
    const guess = guessRole(member);
    return guess.role === 'linear' ? guess : guess.role;
  }
  if (architecture.routers.includes(member)) return 'router';
  const family = architecture.families.find(({ members }) => members.includes(member));
  return family === undefined ? 'other' : { family: family.name, servedAs: family.servedAs };
}
