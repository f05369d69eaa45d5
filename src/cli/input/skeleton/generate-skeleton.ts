import type { JsonValue } from '../../../service-model/read-value.js';
import type { EnumShape, Shape, StringShape } from '../../../service-model/shape.js';

/** The text that stands for a string, given the name of the member that holds it. */
type SampleText = (shape: StringShape | EnumShape, name: string) => string;

const SAMPLE_TIME = '1970-01-01T00:00:00';

/** What stands for the keys of a map. */
export const SAMPLE_KEY = 'KeyName';

/**
 * A sample of an input, to be filled in: empty strings, zeros, the first value of every enum, one
 * element in every list and one key in every map.
 */
export const inputSkeleton = (shape: Shape): JsonValue =>
  skeleton(shape, '', (text) => (text.type === 'enum' ? (text.values[0] ?? '') : ''));

/** A sample of an output: every string is the name of its member. */
export const outputSkeleton = (shape: Shape): JsonValue => skeleton(shape, '', (_, name) => name);

function skeleton(shape: Shape, name: string, sampleText: SampleText): JsonValue {
  switch (shape.type) {
    case 'string':
    case 'enum':
      return sampleText(shape, name);
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return true;
    case 'timestamp':
      return SAMPLE_TIME;
    case 'list':
      // An element is called by the singular of its list.
      return [skeleton(shape.element, name.replace(/s$/, ''), sampleText)];
    case 'map':
      return { [SAMPLE_KEY]: skeleton(shape.value, '', sampleText) };
    case 'structure':
    case 'union':
      return Object.fromEntries(
        Object.entries(shape.members).map(([member, { shape }]) => [
          member,
          skeleton(shape, member, sampleText),
        ]),
      );
  }
}
