import type { JsonObject } from '../../json.js';

/** A linear layer and what its output consists of: one thing, or several one after the other where the
 * checkpoint fuses layers. */
export interface Projection<Output extends string> {
  /** Counted from the block, or from the expert. */
  readonly module: string;
  readonly outputs: readonly Output[];
}

export type AttentionOutput = 'query' | 'key' | 'value';
export type GateOutput = 'gate' | 'up';

/** A gated feed-forward network: `output(activation(gate(x)) · up(x))`. */
export interface GatedLayout {
  readonly inputs: readonly Projection<GateOutput>[];
  readonly output: string;
}

export interface ExpertsLayout extends GatedLayout {
  /** The linear module that scores experts, one output each; blocks that lack it have a plain
   * network. */
  readonly router: string;
  /** Module names of experts, with {@link EXPERT} for the number; the layout counts from there. */
  readonly expert: string;
  readonly chosenKey: string;
  /** Whether the chosen experts' weights are made to add up to one: always, or where this key of the
   * configuration says so. */
  readonly normalized: true | { readonly key: string };
  /** A network that every token goes through, its output weighted by a gate of its own. */
  readonly shared?: { readonly prefix: string; readonly gate: string };
}

/** Which blocks attend to the last `sliding_window` positions only, where the configuration has no
 * `layer_types`. */
export type WindowRule =
  | { readonly kind: 'none' }
  | { readonly kind: 'every'; readonly enabledBy?: string }
  /** Those from the block of this number on. */
  | { readonly kind: 'from'; readonly key: string; readonly enabledBy: string }
  /** The first and every second after it, before the block of this number. */
  | { readonly kind: 'alternating'; readonly before?: string; readonly enabledBy?: string }
  /** All but every n-th. */
  | { readonly kind: 'all-but-every'; readonly keys: readonly string[] };

/** How the outputs of one kind of model follow from its tensors: an entry of a table, from which the
 * graphs of the forward pass are built. */
export interface ForwardArchitecture {
  /** As in the table of architectures. */
  readonly name: string;
  /** Values that Transformers' configuration class has where the file has none. */
  readonly defaults: JsonObject;
  readonly norms: {
    readonly beforeAttention: string;
    readonly afterAttention?: string;
    readonly beforeFeedForward: string;
    readonly afterFeedForward?: string;
    /** Whether norms multiply by `1 + weight`. */
    readonly addOne: boolean;
  };
  readonly attention: {
    readonly inputs: readonly Projection<AttentionOutput>[];
    readonly output: string;
    /** Norms over each head of query and key. */
    readonly headNorms?: { readonly query: string; readonly key: string };
  };
  readonly feedForward: GatedLayout;
  readonly experts?: ExpertsLayout;
  /** Whether embeddings are multiplied by the square root of the width. */
  readonly scalesEmbedding: boolean;
  readonly window: WindowRule;
}
