import { quoted } from '../../checkpoint/errors.js';
import { SettingsError } from './errors.js';
import { collectSettings, ENVIRONMENT_PREFIX, type GivenValue } from './given.js';
import { OPTION_PREFIX, type Properties } from './properties.js';
import { suggest } from './suggest.js';

/** More ranks than any serving engine runs one model on. */
const MAX_DEGREE = 1024;

const LAYOUTS = ['auto', 'sharded_state', 'chunked'] as const;

/** Which layout is asked for; `auto` leaves it to the model and the degrees. */
export type RequestedLayout = (typeof LAYOUTS)[number];

/** The settings of one sharding step, checked as far as that goes without the model. */
export interface ShardingSettings {
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  /** Whether experts are handed out whole, rather than each divided among all ranks. */
  readonly expertParallel: boolean;
  readonly layout: RequestedLayout;
  /** What messages call the settings: as the caller wrote them. */
  readonly labels: {
    readonly tensorParallel: string;
    readonly pipelineParallel: string;
    readonly expertParallel: string;
    readonly layout: string;
  };
  /** Options for the serving container, by key without prefix; those above are not among them. */
  readonly serving: ReadonlyMap<string, string>;
  /** Every setting of sharding with the value that was used, by its `OPTION_` name. */
  readonly effective: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** The optimizer's keys for sharding, with their defaults; the first has none. */
export const SHARDING_KEYS = {
  tensorParallel: 'tensor_parallel_degree',
  pipelineParallel: 'pipeline_parallel_degree',
  expertParallel: 'enable_expert_parallel',
  layout: 'shard_layout',
} as const;

const DEFAULTS: Readonly<Record<keyof typeof SHARDING_KEYS, string | undefined>> = {
  tensorParallel: undefined,
  pipelineParallel: '1',
  expertParallel: 'false',
  layout: 'auto',
};

/** Reads and checks the settings of a sharding step. It reads nothing but its arguments, so that whoever
 * accepts jobs can refuse bad settings before accepting one.
 * @param environment the caller's settings, `OPTION_X` to value.
 * @param properties the source model's `serving.properties`, if it is at hand. Unlike in quantization,
 * the file wins over the environment, as it does in the LMI containers.
 * @param quantized whether the model is quantized by the time it is sharded. Settings of quantization
 * are then those of the step before.
 * @throws SettingsError naming the setting, the value and what is allowed. */
export function parseShardingSettings(
  environment: Readonly<Record<string, string>>,
  properties: Properties = new Map(),
  quantized = false,
): ShardingSettings {
  const { asked, overruled } = withoutOverruled(environment, properties);
  const given = collectSettings(asked, properties);
  if (!quantized) refuseQuantization(given.own);
  const read = (name: keyof typeof SHARDING_KEYS): GivenValue => {
    const key = SHARDING_KEYS[name];
    const label = `${ENVIRONMENT_PREFIX}${key.toUpperCase()}`;
    const found = given.serving.get(key);
    if (found !== undefined) return found;
    const value = DEFAULTS[name];
    if (value === undefined)
      throw new SettingsError(label, `${label} is not set; sharding needs it`);
    return { value, label, fromFile: false };
  };
  const tensorParallel = readDegree(read('tensorParallel'));
  const pipelineParallel = readDegree(read('pipelineParallel'));
  const expertParallel = readChoice(read('expertParallel'), ['true', 'false']) === 'true';
  const layout = readChoice(read('layout'), LAYOUTS);
  const own: ReadonlySet<string> = new Set(Object.values(SHARDING_KEYS));
  const used = {
    tensorParallel: String(tensorParallel),
    pipelineParallel: String(pipelineParallel),
    expertParallel: String(expertParallel),
    layout,
  };
  return {
    tensorParallel,
    pipelineParallel,
    expertParallel,
    layout,
    labels: {
      tensorParallel: read('tensorParallel').label,
      pipelineParallel: read('pipelineParallel').label,
      expertParallel: read('expertParallel').label,
      layout: read('layout').label,
    },
    serving: new Map(
      [...given.serving].flatMap(([key, { value }]) => (own.has(key) ? [] : [[key, value]])),
    ),
    effective: Object.fromEntries(
      Object.entries(SHARDING_KEYS).map(([name, key]) => [
        `${ENVIRONMENT_PREFIX}${key.toUpperCase()}`,
        used[name as keyof typeof used],
      ]),
    ),
    notes: [...overruled, ...given.notes],
  };
}

/** Leaves out the settings that the file sets too, with a note where it says something else. */
function withoutOverruled(
  environment: Readonly<Record<string, string>>,
  properties: Properties,
): { readonly asked: Readonly<Record<string, string>>; readonly overruled: readonly string[] } {
  const asked: Record<string, string> = {};
  const overruled: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    const key = name.startsWith(ENVIRONMENT_PREFIX)
      ? `${OPTION_PREFIX}${name.slice(ENVIRONMENT_PREFIX.length).toLowerCase()}`
      : name;
    const inFile = properties.get(key);
    if (inFile === undefined) asked[name] = value;
    else if (inFile !== value) {
      overruled.push(
        `${key} is ${quoted(inFile)} in the model’s serving.properties, which in sharding goes before ${name}=${quoted(value)}.`,
      );
    }
  }
  return { asked, overruled };
}

function refuseQuantization(own: ReadonlyMap<string, GivenValue>): void {
  const [found] = [...own.values()].filter(({ fromFile }) => !fromFile);
  if (found !== undefined) {
    throw new SettingsError(
      found.label,
      `${found.label} is a setting of quantization, which a sharding step does not do; quantize in a step before this one`,
    );
  }
}

function readDegree({ value, label }: GivenValue): number {
  const degree = /^[1-9]\d{0,5}$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (!(degree <= MAX_DEGREE)) {
    throw new SettingsError(
      label,
      `${label} is ${quoted(value)}, but must be a whole number from 1 to ${MAX_DEGREE}`,
    );
  }
  return degree;
}

function readChoice<Choice extends string>(
  { value, label }: GivenValue,
  allowed: readonly Choice[],
): Choice {
  const asked = value.trim().toLowerCase();
  const match = allowed.find((choice) => choice === asked);
  if (match !== undefined) return match;
  const near = suggest(asked, allowed);
  throw new SettingsError(
    label,
    `${label} is ${quoted(value)}, but must be one of ${allowed.join(', ')}${
      near === undefined ? '' : `; did you mean ${near}?`
    }`,
  );
}
