/** The floating-point element types that checkpoints carry, by their safetensors names. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/** Bytes of one element. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Numbers of the float types in the WebAssembly module (assembly/scale.ts). */
export const FLOAT_TYPE_NUMBERS: Readonly<Record<FloatType, number>> = { F32: 0, F16: 1, BF16: 2 };
