/** The floating-point element types that checkpoints carry, by their safetensors names. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/** Bytes of one element. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };
