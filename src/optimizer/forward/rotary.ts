import { ConfigReader } from '../../checkpoint/architectures/forward/config-reader.js';
import type { Rotary, RotaryKind } from '../../checkpoint/architectures/forward/forward-model.js';
import { CheckpointError } from '../../checkpoint/errors.js';

/** Cosines and sines for the first positions, `[positions, dimensions]` each. */
export interface RotaryTables {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** The tables of a rotary embedding for sequences of one length. Angles are f32 products, as models are
 * trained with. */
export function rotaryTables(rotary: Rotary, positions: number): RotaryTables {
  const { dimensions } = rotary;
  const half = dimensions / 2;
  const { frequencies, scale } = rotaryFrequencies(rotary, positions);
  const cos = new Float32Array(positions * dimensions);
  const sin = new Float32Array(positions * dimensions);
  for (let position = 0; position < positions; position += 1) {
    for (let index = 0; index < half; index += 1) {
      const angle = Math.fround(position * Math.fround(frequencies[index] ?? 0));
      const at = position * dimensions + index;
      cos[at] = Math.cos(angle) * scale;
      sin[at] = Math.sin(angle) * scale;
      cos[at + half] = cos[at] ?? 0;
      sin[at + half] = sin[at] ?? 0;
    }
  }
  return { cos, sin };
}

/** How a rotary embedding turns in sequences of one length. */
export function rotaryFrequencies(rotary: Rotary, positions: number): Frequencies {
  return KINDS[rotary.kind](rotary, positions);
}

export interface Frequencies {
  /** Radians a position, one for each pair of elements. */
  readonly frequencies: readonly number[];
  /** Cosines and sines are multiplied by this. */
  readonly scale: number;
}

type Kind = (rotary: Rotary, positions: number) => Frequencies;

/** How each kind of scaling changes the frequencies. */
const KINDS: Readonly<Record<RotaryKind, Kind>> = {
  default: (rotary) => ({ frequencies: unscaled(rotary), scale: 1 }),
  linear: (rotary) => {
    const factor = parameters(rotary).number('factor');
    return { frequencies: unscaled(rotary).map((frequency) => frequency / factor), scale: 1 };
  },
  dynamic,
  llama3,
  yarn,
  longrope,
};

function parameters(rotary: Rotary): ConfigReader {
  return new ConfigReader(rotary.parameters);
}

/** "RoFormer" (Su et al., 2021). */
function unscaled({ theta, dimensions }: Rotary): number[] {
  return Array.from({ length: dimensions / 2 }, (_, index) => theta ** ((-2 * index) / dimensions));
}

/** NTK-aware scaling that begins only beyond the length the model was made for. */
function dynamic(rotary: Rotary, positions: number): Frequencies {
  const { theta, dimensions, maxPositions } = rotary;
  const factor = parameters(rotary).number('factor');
  const length = Math.max(positions, maxPositions);
  const stretch = (factor * length) / maxPositions - (factor - 1);
  const stretched = { ...rotary, theta: theta * stretch ** (dimensions / (dimensions - 2)) };
  return { frequencies: unscaled(stretched), scale: 1 };
}

/** Llama 3.1: long wavelengths are stretched, short ones kept, those between are blended. */
function llama3(rotary: Rotary): Frequencies {
  const reader = parameters(rotary);
  const factor = reader.number('factor');
  const low = reader.number('low_freq_factor');
  const high = reader.number('high_freq_factor');
  const { originalMaxPositions } = rotary;
  const frequencies = unscaled(rotary).map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns < low) return frequency / factor;
    if (turns > high) return frequency;
    const kept = (turns - low) / (high - low);
    return ((1 - kept) * frequency) / factor + kept * frequency;
  });
  return { frequencies, scale: 1 };
}

/** "YaRN" (Peng et al., 2023). */
function yarn(rotary: Rotary): Frequencies {
  const reader = parameters(rotary);
  const { theta, dimensions, maxPositions, originalMaxPositions } = rotary;
  const factor = reader.optional('factor') ?? maxPositions / originalMaxPositions;
  const dimensionOf = (turns: number): number =>
    (dimensions * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const first = dimensionOf(reader.optional('beta_fast') ?? 32);
  const last = dimensionOf(reader.optional('beta_slow') ?? 1);
  const truncate = reader.value('truncate') !== false;
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, dimensions - 1);
  // Keeps the ramp from dividing by zero where it has no width.
  const width = high === low ? 0.001 : high - low;
  const frequencies = unscaled(rotary).map((frequency, index) => {
    const stretched = Math.min(Math.max((index - low) / width, 0), 1);
    return (frequency / factor) * stretched + frequency * (1 - stretched);
  });
  return { frequencies, scale: yarnScale(reader, factor) };
}

function yarnScale(reader: ConfigReader, factor: number): number {
  const given = reader.optional('attention_factor');
  if (given !== undefined) return given;
  const magnitude = (weight: number): number =>
    factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  const scale = reader.optional('mscale') ?? 0;
  const scaleAll = reader.optional('mscale_all_dim') ?? 0;
  return scale !== 0 && scaleAll !== 0 ? magnitude(scale) / magnitude(scaleAll) : magnitude(1);
}

/** "LongRoPE" (Ding et al., 2024): a factor for each pair, other ones beyond the original length. */
function longrope(rotary: Rotary, positions: number): Frequencies {
  const reader = parameters(rotary);
  const { maxPositions, originalMaxPositions } = rotary;
  const key = positions > originalMaxPositions ? 'long_factor' : 'short_factor';
  const factors = reader.value(key);
  const frequencies = unscaled(rotary);
  if (
    !Array.isArray(factors) ||
    factors.length !== frequencies.length ||
    !factors.every((factor) => typeof factor === 'number')
  ) {
    throw new CheckpointError(`its ${key} are not ${frequencies.length} numbers`, {
      file: 'config.json',
    });
  }
  const factor = reader.optional('factor') ?? maxPositions / originalMaxPositions;
  return {
    frequencies: frequencies.map((frequency, index) => frequency / (factors[index] as number)),
    scale:
      reader.optional('attention_factor') ??
      (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions))),
  };
}
