import { type Architecture, EXPERT } from '../../../checkpoint/architectures/architecture.js';
import type { ForwardArchitecture } from '../../../checkpoint/architectures/forward/forward-architecture.js';
import { FORWARD_ARCHITECTURES } from '../../../checkpoint/architectures/forward/table.js';
import type {
  ModuleTensor,
  ShardingModel,
} from '../../../checkpoint/architectures/sharding/sharding-model.js';
import {
  SHARDING_ARCHITECTURES,
  type ShardingArchitecture,
} from '../../../checkpoint/architectures/sharding/table.js';
import { ARCHITECTURES } from '../../../checkpoint/architectures/table.js';
import { CheckpointError } from '../../../checkpoint/errors.js';
import type { RankShare } from '../divide-model.js';
import type { RankTensor, TensorPart } from '../rank-plan.js';
import { rankTensorBytes } from '../shard-files.js';
import type { Slice } from '../slice.js';

/** Scales that vLLM keeps with every attention layer; 1 in an unquantized model. */
const ATTENTION_SCALES = ['_k_scale', '_v_scale', '_q_scale', '_prob_scale'] as const;

/** The projections of an expert in the order of vLLM's fused weights. */
const EXPERT_SLOTS = {
  gate: { weight: 'w13_weight', slot: 0, slots: 2 },
  up: { weight: 'w13_weight', slot: 1, slots: 2 },
  down: { weight: 'w2_weight', slot: 0, slots: 1 },
} as const;

/** Where a tensor of the checkpoint goes in vLLM's parameters. */
interface Served {
  readonly name: string;
  /** Its place among the tensors that make up the parameter, one after the other along the outputs. */
  readonly slot: number;
  /** Tensors that make up the parameter, or one expert's part of it. */
  readonly slots: number;
  /** Counted from the rank's first; undefined where the parameter is not one of experts. */
  readonly expert: number | undefined;
}

/** One rank's tensors as vLLM would save them in its load format `sharded_state`: fused, under the names
 * of its parameters. For unquantized models in one pipeline stage.
 * @throws CheckpointError where tensors that make up one parameter are missing or differ in type. */
export function shardedStateTensors(model: ShardingModel, share: RankShare): readonly RankTensor[] {
  const tables = findTables(model.architecture);
  const [firstExpert, endExpert] = share.experts;
  const parameters = new Map<string, ServedSlice[]>();
  for (const { module, slice } of share.slices) {
    const served = servedName(model, module, tables, firstExpert);
    const found = parameters.get(served.name);
    if (found === undefined) parameters.set(served.name, [{ served, module, slice }]);
    else found.push({ served, module, slice });
  }
  const tensors = [...parameters].map(([name, parts]) =>
    fuse(name, parts, endExpert - firstExpert),
  );
  return [...tensors, ...attentionScales(model)];
}

interface ServedSlice {
  readonly served: Served;
  readonly module: ModuleTensor;
  readonly slice: Slice;
}

interface Tables {
  readonly architecture: Architecture;
  readonly forward: ForwardArchitecture;
  readonly sharding: ShardingArchitecture;
}

function findTables(name: string): Tables {
  const architecture = ARCHITECTURES.find((entry) => entry.name === name);
  const forward = FORWARD_ARCHITECTURES.find((entry) => entry.name === name);
  const sharding = SHARDING_ARCHITECTURES.find((entry) => entry.name === name);
  if (architecture === undefined || forward === undefined || sharding === undefined) {
    throw new Error(`${name} is not in every table`);
  }
  return { architecture, forward, sharding };
}

function servedName(
  { tied, list }: ShardingModel,
  { member, suffix, place, expert }: ModuleTensor,
  tables: Tables,
  firstExpert: number,
): Served {
  const alone = (name: string): Served => ({ name, slot: 0, slots: 1, expert: undefined });
  if (typeof place === 'string') {
    const asHead = member === 'lm_head' || (tied && tables.sharding.sharedEmbedding === 'head');
    if (member === 'norm') return alone(`model.norm.${suffix}`);
    return alone(asHead ? `lm_head.${suffix}` : `model.embed_tokens.${suffix}`);
  }
  const block = `model.${list}.${place.block}`;
  const { served } = tables.sharding;
  if (expert !== undefined) {
    const parent = member.slice(0, member.indexOf(`.${EXPERT}`));
    const { weight, slot, slots } = EXPERT_SLOTS[expertProjection(member, tables.forward)];
    const name = `${block}.${parent}.routed_experts.${weight}`;
    return { name, slot, slots, expert: expert - firstExpert };
  }
  const family = tables.architecture.families.find(({ members }) => members.includes(member));
  const fused = family !== undefined && family.members.length > 1 ? family : undefined;
  const own = fused?.name ?? member;
  return {
    name: `${block}.${Object.hasOwn(served, own) ? served[own] : own}.${suffix}`,
    slot: fused?.members.indexOf(member) ?? 0,
    slots: fused?.members.length ?? 1,
    expert: undefined,
  };
}

function expertProjection(
  member: string,
  { experts, name }: ForwardArchitecture,
): keyof typeof EXPERT_SLOTS {
  const projection = member.slice(member.indexOf(`${EXPERT}.`) + EXPERT.length + 1);
  const input = experts?.inputs.find(({ module }) => module === projection);
  const [output] = input?.outputs ?? [];
  if (output !== undefined) return output;
  if (experts?.output === projection) return 'down';
  throw new Error(`${member} is no projection of an expert of ${name}`);
}

/** Puts the slices that make up a parameter one after the other. */
function fuse(name: string, parts: readonly ServedSlice[], experts: number): RankTensor {
  const [first] = parts;
  if (first === undefined) throw new Error(`${name} is made up of nothing`);
  const { slots, expert } = first.served;
  const perSlot = expert === undefined ? slots : slots * experts;
  const ordered = [...parts].sort((a, b) => position(a.served) - position(b.served));
  const { dtype } = first.module.tensor;
  const placed: TensorPart[] = [];
  let at = 0;
  for (const { module, slice } of ordered) {
    const { tensor } = module;
    if (tensor.dtype !== dtype) {
      throw new CheckpointError(
        `holds ${tensor.dtype}, but ${first.module.tensor.name}, with which engines fuse it, ${dtype}`,
        { file: tensor.file, tensor: tensor.name },
      );
    }
    placed.push({ tensor, slice, at });
    at += rankTensorBytes({ name, dtype, shape: slice.shape, parts: [] });
  }
  if (ordered.length !== perSlot) {
    throw new CheckpointError(
      `engines fuse ${perSlot} tensors into ${name}, but the checkpoint has only ${ordered.map(({ module }) => module.tensor.name).join(', ')}`,
    );
  }
  return { name, dtype, shape: fusedShape(ordered, slots, expert, experts), parts: placed };
}

function position({ slot, slots, expert }: Served): number {
  return (expert ?? 0) * slots + slot;
}

function fusedShape(
  parts: readonly ServedSlice[],
  slots: number,
  expert: number | undefined,
  experts: number,
): readonly number[] {
  const [, ...rest] = parts[0]?.slice.shape ?? [];
  const outputs = parts.slice(0, slots).reduce((sum, { slice }) => sum + (slice.shape[0] ?? 0), 0);
  return expert === undefined ? [outputs, ...rest] : [experts, outputs, ...rest];
}

function attentionScales({ blocks, list }: ShardingModel): readonly RankTensor[] {
  const one = new Uint8Array(new Float32Array([1]).buffer);
  return Array.from({ length: blocks }, (_, block) =>
    ATTENTION_SCALES.map(
      (scale): RankTensor => ({
        name: `model.${list}.${block}.self_attn.attn.${scale}`,
        dtype: 'F32',
        shape: [],
        parts: [],
        constant: one,
      }),
    ),
  ).flat();
}
