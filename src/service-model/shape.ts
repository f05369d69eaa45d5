/**
 * The vocabulary in which the API is written down as data. A shape says what a value may be; the
 * TypeScript type of the value is derived from the shape by `Infer`, and so are validation, the
 * command line's arguments, skeletons and help.
 */

export interface StringShape {
  readonly type: 'string';
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Matches the whole string, as the API's patterns do although they are written without anchors. */
  readonly pattern?: string;
}

export interface EnumShape<Value extends string = string> {
  readonly type: 'enum';
  readonly values: readonly Value[];
}

export interface IntegerShape {
  readonly type: 'integer';
  readonly min?: number;
  readonly max?: number;
}

export interface NumberShape {
  readonly type: 'number';
}

export interface BooleanShape {
  readonly type: 'boolean';
}

/** Seconds since the epoch on the wire, milliseconds since the epoch in the program. */
export interface TimestampShape {
  readonly type: 'timestamp';
}

export interface ListShape<Element extends Shape = Shape> {
  readonly type: 'list';
  readonly element: Element;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface MapShape {
  readonly type: 'map';
  readonly key: StringShape;
  readonly value: StringShape;
  readonly minLength?: number;
  readonly maxLength?: number;
}

export interface Member<S extends Shape = Shape, Required extends boolean = boolean> {
  readonly shape: S;
  readonly required: Required;
  /** One or two sentences in our own words; the source of help texts and form hints. */
  readonly documentation: string;
}

export type Members = { readonly [name: string]: Member };

export interface StructureShape<M extends Members = Members> {
  readonly type: 'structure';
  readonly name: string;
  readonly members: M;
}

/** A structure of which exactly one member is set. */
export interface UnionShape<M extends Members = Members> {
  readonly type: 'union';
  readonly name: string;
  readonly members: M;
}

export type Shape =
  | StringShape
  | EnumShape
  | IntegerShape
  | NumberShape
  | BooleanShape
  | TimestampShape
  | ListShape
  | MapShape
  | StructureShape
  | UnionShape;

type RequiredNames<M extends Members> = {
  [Name in keyof M]: M[Name] extends Member<Shape, true> ? Name : never;
}[keyof M];

type InferMembers<M extends Members> = {
  readonly [Name in RequiredNames<M>]: Infer<M[Name]['shape']>;
} & {
  readonly [Name in Exclude<keyof M, RequiredNames<M>>]?: Infer<M[Name]['shape']> | undefined;
};

type Flatten<T> = { [Name in keyof T]: T[Name] };

/** The TypeScript type of the values that a shape describes. */
export type Infer<S> =
  S extends EnumShape<infer Value>
    ? Value
    : S extends StringShape
      ? string
      : S extends IntegerShape | NumberShape | TimestampShape
        ? number
        : S extends BooleanShape
          ? boolean
          : S extends ListShape<infer Element>
            ? readonly Infer<Element>[]
            : S extends MapShape
              ? Readonly<Record<string, string>>
              : S extends UnionShape<infer M>
                ? {
                    [Name in keyof M]: { readonly [Only in Name]: Infer<M[Name]['shape']> };
                  }[keyof M]
                : S extends StructureShape<infer M>
                  ? Flatten<InferMembers<M>>
                  : never;

export const string = (limits: Omit<StringShape, 'type'> = {}): StringShape => ({
  type: 'string',
  ...limits,
});

export const enumeration = <const Value extends string>(
  values: readonly Value[],
): EnumShape<Value> => ({ type: 'enum', values });

export const integer = (limits: Omit<IntegerShape, 'type'> = {}): IntegerShape => ({
  type: 'integer',
  ...limits,
});

export const number: NumberShape = { type: 'number' };

export const boolean: BooleanShape = { type: 'boolean' };

export const timestamp: TimestampShape = { type: 'timestamp' };

export const list = <Element extends Shape>(
  element: Element,
  limits: { readonly minLength?: number; readonly maxLength?: number } = {},
): ListShape<Element> => ({ type: 'list', element, ...limits });

export const map = (
  key: StringShape,
  value: StringShape,
  limits: { readonly minLength?: number; readonly maxLength?: number } = {},
): MapShape => ({ type: 'map', key, value, ...limits });

export const required = <S extends Shape>(shape: S, documentation: string): Member<S, true> => ({
  shape,
  required: true,
  documentation,
});

export const optional = <S extends Shape>(shape: S, documentation: string): Member<S, false> => ({
  shape,
  required: false,
  documentation,
});

export const structure = <M extends Members>(name: string, members: M): StructureShape<M> => ({
  type: 'structure',
  name,
  members,
});

export const union = <M extends Members>(name: string, members: M): UnionShape<M> => ({
  type: 'union',
  name,
  members,
});
