/** Stands in a member's name for the number of one expert. */
export const EXPERT = '{expert}';

/** Linear layers of one decoder block that must share one scheme: a serving engine makes one
 * parameter of them, or runs them in one kernel. A layer that is never fused is a family of one. */
export interface LinearFamily {
  /** Names the family in reports. */
  readonly name: string;
  /** Module names as they are in checkpoints, counted from the block. */
  readonly members: readonly string[];
  /** Further names that loaders give these layers when they match them against a quantization's
   * targets, counted from the block. */
  readonly servedAs: readonly string[];
}

/** What the tensors of one kind of model are. An entry of a table: to support another model, add one. */
export interface Architecture {
  readonly name: string;
  /** `model_type` of the configurations it fits. */
  readonly modelTypes: readonly string[];
  /** Name of the list of decoder blocks: `layers` in `model.layers.3.mlp.down_proj`. */
  readonly blocks: string;
  readonly families: readonly LinearFamily[];
  /** Linear modules of a block that choose experts. Rounding them changes which expert answers, for
   * next to no gain in size, so they keep their precision. */
  readonly routers: readonly string[];
  /** Whether the output layer shares the input embedding's weight where the configuration does not
   * say. */
  readonly tiedByDefault: boolean;
}

/** A layer that is fused with no other. */
export function single(member: string): LinearFamily {
  return { name: member, members: [member], servedAs: [] };
}

/** Layers that a serving engine makes one parameter of. */
export function fused(parent: string, members: readonly string[], as: string): LinearFamily {
  const name = `${parent}.${as}`;
  return { name, members: members.map((member) => `${parent}.${member}`), servedAs: [name] };
}

/** The experts of one block, which one kernel runs together. Engines ask for their scheme by the
 * names of the gate, up and down projections, whatever the checkpoint calls them. */
export function experts(parent: string, members: readonly string[]): LinearFamily {
  return {
    name: parent,
    members: members.map((member) => `${parent}.${EXPERT}.${member}`),
    servedAs: EXPERT_PROJECTIONS.filter((name) => !members.includes(name)).map(
      (name) => `${parent}.${EXPERT}.${name}`,
    ),
  };
}

const EXPERT_PROJECTIONS = ['gate_proj', 'up_proj', 'down_proj'];
