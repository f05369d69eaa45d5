import type { JsonObject } from '../../json.js';
import type { AttentionOutput, GateOutput } from './forward-architecture.js';

/** The forward pass of one checkpoint: sizes, and the full names of modules. A module's tensors are its
 * name and `.weight` or `.bias`. */
export interface ForwardModel {
  readonly architecture: string;
  readonly hiddenSize: number;
  readonly vocabulary: number;
  /** Longest sequence the model was made for. */
  readonly maxPositions: number;
  readonly norms: {
    readonly epsilon: number;
    /** Whether norms multiply by `1 + weight`. */
    readonly addOne: boolean;
  };
  readonly embedding: { readonly module: string; readonly scale: number };
  readonly blocks: readonly ForwardBlock[];
  readonly finalNorm: string;
  readonly head: {
    /** The embedding's, where the two share a weight. */
    readonly module: string;
    /** Logits become `tanh(logit / softcap) · softcap`. */
    readonly softcap: number | undefined;
  };
}

export interface ForwardBlock {
  /** `model.layers.3` */
  readonly name: string;
  readonly attention: AttentionStage;
  readonly feedForward: FeedForwardStage | ExpertsStage;
}

export interface StageNorms {
  readonly before: string;
  /** On the stage's output, before it is added. */
  readonly after: string | undefined;
}

/** A linear layer and the sizes of what its output consists of. */
export interface InputProjection<Output extends string> {
  readonly module: string;
  readonly outputs: readonly { readonly name: Output; readonly size: number }[];
}

export interface AttentionStage {
  readonly kind: 'attention';
  readonly norms: StageNorms;
  readonly inputs: readonly InputProjection<AttentionOutput>[];
  readonly output: string;
  readonly headNorms: { readonly query: string; readonly key: string } | undefined;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Scores are multiplied by this. */
  readonly scale: number;
  readonly softcap: number | undefined;
  /** Positions that a token sees, itself among them; all before it if undefined. */
  readonly window: number | undefined;
  readonly rotary: Rotary;
}

const ACTIVATIONS = ['silu', 'gelu', 'gelu_tanh', 'relu'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

export interface GatedNetwork {
  readonly inputs: readonly InputProjection<GateOutput>[];
  readonly output: string;
  readonly activation: Activation;
}

export interface FeedForwardStage extends GatedNetwork {
  readonly kind: 'feed-forward';
  readonly norms: StageNorms;
}

export interface ExpertsStage {
  readonly kind: 'experts';
  readonly norms: StageNorms;
  readonly router: string;
  readonly experts: readonly GatedNetwork[];
  /** Experts that answer for a token. */
  readonly chosen: number;
  /** Whether their weights are made to add up to one. */
  readonly normalized: boolean;
  readonly shared: { readonly network: GatedNetwork; readonly gate: string } | undefined;
}

/** Rotary position embedding. */
export interface Rotary {
  readonly kind: RotaryKind;
  readonly theta: number;
  /** Leading elements of each head that are rotated. */
  readonly dimensions: number;
  /** Further parameters of the kind, by the names they have in configurations. */
  readonly parameters: JsonObject;
  readonly maxPositions: number;
  /** Before the context was lengthened. */
  readonly originalMaxPositions: number;
}

export const ROTARY_KINDS = ['default', 'linear', 'dynamic', 'llama3', 'yarn', 'longrope'] as const;
export type RotaryKind = (typeof ROTARY_KINDS)[number];
