import type { IntegerBits } from '../../kernels/index.js';
import type { Technique } from './definitions.js';
import { SettingsError } from './errors.js';
import type { GivenSettings } from './given.js';
import { optionName, readChoice, readNumber, readValue } from './given-values.js';

/** The encoding that is asked for; a layer whose shape it does not fit gets a near one. */
export type RequestedScheme =
  | {
      readonly technique: 'fp8';
      /** Whether scales of inputs are found by calibration, rather than for every token. */
      readonly staticInputs: boolean;
    }
  | { readonly technique: 'int8' }
  | { readonly technique: 'smoothquant'; readonly migrationStrength: number }
  | (IntegerRequest & { readonly technique: 'rtn' })
  | (IntegerRequest & {
      readonly technique: 'awq';
      readonly format: 'awq' | 'compressed-tensors';
    })
  | (CompensationRequest & { readonly technique: 'gptq' })
  | (CompensationRequest & {
      readonly technique: 'gptaq';
      readonly scaling: boolean;
      readonly sweeps: number;
    });

const INTEGER_BITS: readonly IntegerBits[] = [2, 3, 4, 8];

/** Integer weights alone. */
export interface IntegerRequest {
  readonly bits: IntegerBits;
  /** Columns that share a scale; undefined for one scale per output channel. */
  readonly groupSize: number | undefined;
  readonly zeroPoint: boolean;
}

/** Integer weights that are rounded one after the other. */
export interface CompensationRequest extends IntegerRequest {
  readonly order: 'natural' | 'activity' | 'activity-groups';
  readonly damping: number;
  readonly format: 'gptq' | 'compressed-tensors';
}

/** Reads the settings of a technique that say what weights become.
 * @throws SettingsError for values that do not go together. */
export function readScheme(technique: Technique, given: GivenSettings): RequestedScheme {
  switch (technique) {
    case 'fp8':
      return { technique, staticInputs: readValue(given, 'fp8_scheme').value === 'FP8' };
    case 'int8':
      return { technique };
    case 'smoothquant':
      return { technique, migrationStrength: readNumber(given, 'smoothquant_alpha') ?? 0 };
    case 'rtn':
      return { technique, ...readIntegers(technique, given) };
    case 'awq':
      return { technique, ...readAwq(given) };
    case 'gptq':
      return { technique, ...readCompensation(technique, given) };
    case 'gptaq':
      return {
        technique,
        ...readCompensation(technique, given),
        scaling: readValue(given, 'gptaq_scaling').value === 'true',
        sweeps: readNumber(given, 'gptaq_sweeps') ?? 0,
      };
  }
}

function readAwq(given: GivenSettings): IntegerRequest & {
  readonly format: 'awq' | 'compressed-tensors';
} {
  const format = readChoice(given, 'awq_format', ['awq', 'compressed-tensors']);
  const integers = readIntegers('awq', given);
  if (format === 'awq' && integers.bits !== 4) {
    const { label } = readValue(given, 'awq_weight_bit_width');
    throw new SettingsError(
      label,
      `${label} is ${integers.bits}, but AutoAWQ checkpoints have 4-bit weights; use ${optionName('awq_format')}=compressed-tensors`,
    );
  }
  return { ...integers, format };
}

function readCompensation(technique: 'gptq' | 'gptaq', given: GivenSettings): CompensationRequest {
  const orders = ['natural', 'activity', 'activity-groups'] as const;
  const order = readChoice(given, `${technique}_order`, orders);
  const format = readChoice(given, `${technique}_format`, ['gptq', 'compressed-tensors']);
  if (order === 'activity-groups' && format === 'compressed-tensors') {
    const { label } = readValue(given, `${technique}_order`);
    throw new SettingsError(
      label,
      `${label} is ${order}, which the readers of ${format} no longer take; use activity, or ${optionName(`${technique}_format`)}=gptq`,
    );
  }
  const damping = readNumber(given, `${technique}_damping`) ?? 0;
  return { ...readIntegers(technique, given), order, damping, format };
}

function readIntegers(technique: Technique, given: GivenSettings): IntegerRequest {
  const read = (name: string): string => readValue(given, `${technique}_${name}`).value;
  const groupSize = Number(read('block_size'));
  return {
    bits: INTEGER_BITS.find((bits) => String(bits) === read('weight_bit_width')) ?? 4,
    groupSize: groupSize === -1 ? undefined : groupSize,
    zeroPoint: read('zero_point') === 'true',
  };
}
