import { EXPERT } from './architecture.js';

/** Layers that engines fuse, by the last parts of their names, for models that no table describes. */
const SIBLINGS: readonly { readonly members: readonly string[]; readonly as: string }[] = [
  { members: ['q_proj', 'k_proj', 'v_proj'], as: 'qkv_proj' },
  { members: ['query', 'key', 'value'], as: 'qkv_proj' },
  { members: ['wq', 'wk', 'wv'], as: 'wqkv' },
  { members: ['q_a_proj', 'kv_a_proj_with_mqa'], as: 'fused_qkv_a_proj' },
  { members: ['gate_proj', 'up_proj'], as: 'gate_up_proj' },
  { members: ['w1', 'w3'], as: 'gate_up_proj' },
];

/** Last parts of names that choose experts: routers, and the gate of a shared expert. */
const ROUTER = /(^|\.)(gate|router|wg|shared_expert_gate|router\.(layer|proj|weight|classifier))$/;

/** Modules with a two-dimensional weight that are not linear layers, or too delicate to round:
 * embeddings, norms, convolutions, position tables, and the step sizes of state-space models. */
const NOT_LINEAR =
  /(embed|norm|conv|relative_attention_bias|rotary|position|dt_proj|(^|\.)(wte|wpe|ln_\w+)$)/i;

export type GenericRole =
  | { readonly role: 'linear'; readonly family: string; readonly servedAs: readonly string[] }
  | { readonly role: 'router' }
  | { readonly role: 'other' };

/** What a module with a two-dimensional weight is, judged by its name alone.
 * @param member its name counted from its block, expert numbers replaced by `{expert}`. */
export function guessRole(member: string): GenericRole {
  if (ROUTER.test(member)) return { role: 'router' };
  if (NOT_LINEAR.test(member)) return { role: 'other' };
  const expertsEnd = member.indexOf(`.${EXPERT}.`);
  if (expertsEnd !== -1) {
    return { role: 'linear', family: member.slice(0, expertsEnd), servedAs: [] };
  }
  const lastDot = member.lastIndexOf('.');
  const parent = member.slice(0, lastDot + 1);
  const siblings = SIBLINGS.find(({ members }) => members.includes(member.slice(lastDot + 1)));
  return siblings === undefined
    ? { role: 'linear', family: member, servedAs: [] }
    : {
        role: 'linear',
        family: `${parent}${siblings.as}`,
        servedAs: [`${parent}${siblings.as}`],
      };
}

/** Whether a weight looks like one that is stored transposed: a fused query/key/value layer has three
 * outputs for each input, so one with three times as many columns as rows is the wrong way round. */
export function looksTransposed(module: string, shape: readonly number[]): boolean {
  const [rows = 0, columns = 0] = shape;
  return /(^|\.)c_attn$/.test(module) && columns === 3 * rows;
}
