/** Types of numbers that a graph computes with. */
export type FloatElement = 'float32' | 'float16';

export const ELEMENT_BYTES: Readonly<Record<FloatElement, number>> = { float32: 4, float16: 2 };
