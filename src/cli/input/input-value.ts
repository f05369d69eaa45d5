/**
 * A number that was written with a fraction or an exponent. No integer member takes one, not even
 * `3600.0`, so it must not become a plain number before the parameters are validated.
 */
export class Decimal {
  constructor(readonly text: string) {}

  get value(): number {
    return Number(this.text);
  }
}

/** What a parameter may be after parsing and before validation; bytes are what `fileb://` reads. */
export type InputValue =
  | null
  | boolean
  | number
  | string
  | Decimal
  | Uint8Array
  | readonly InputValue[]
  | InputObject;

export interface InputObject {
  readonly [name: string]: InputValue;
}

export const isInputObject = (value: InputValue): value is InputObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Decimal) &&
  !(value instanceof Uint8Array);

export const isInputList = (value: InputValue): value is readonly InputValue[] =>
  Array.isArray(value);
