/** The forms in which a value can be given, with type names in the place of values. */
import type { Shape } from '../../service-model/shape.js';

/** What a person calls the type of a value. */
export function typeName(shape: Shape): string {
  switch (shape.type) {
    case 'enum':
      return 'string';
    case 'number':
      return 'float';
    case 'union':
      return 'tagged union structure';
    default:
      return shape.type;
  }
}

/** The shorthand form; undefined where the value is a scalar and needs none. */
export function shorthandSyntax(shape: Shape): string | undefined {
  switch (shape.type) {
    case 'structure':
    case 'union':
      return members(shape.members);
    case 'map':
      return 'KeyName1=string,KeyName2=string';
    case 'list': {
      const { element } = shape;
      if (element.type === 'structure' || element.type === 'union') {
        return `${members(element.members)} ...`;
      }
      return `"${typeName(element)}" "${typeName(element)}" ...`;
    }
    default:
      return undefined;
  }
}

const members = (all: Readonly<Record<string, { readonly shape: Shape }>>): string =>
  Object.entries(all)
    .map(([name, { shape }]) => `${name}=${nested(shape)}`)
    .join(',');

function nested(shape: Shape): string {
  switch (shape.type) {
    case 'structure':
    case 'union':
      return `{${members(shape.members)}}`;
    case 'map':
      return '{KeyName1=string,KeyName2=string}';
    case 'list': {
      const element = nested(shape.element);
      const isScalar = !['structure', 'union', 'map', 'list'].includes(shape.element.type);
      return isScalar ? `${element},${element}` : `[${element},${element}]`;
    }
    default:
      return typeName(shape);
  }
}

/** The JSON form; undefined where the value is a scalar. */
export function jsonSyntax(shape: Shape): string | undefined {
  return ['structure', 'union', 'map', 'list'].includes(shape.type) ? json(shape, '') : undefined;
}

const INDENT = '  ';

function json(shape: Shape, edge: string): string {
  const inner = edge + INDENT;
  switch (shape.type) {
    case 'structure':
    case 'union': {
      const fields = Object.entries(shape.members).map(
        ([name, member]) => `${inner}"${name}": ${json(member.shape, inner)}`,
      );
      return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${edge}}`;
    }
    case 'map':
      return `{"string": "string"\n${inner}...}`;
    case 'list':
      return `[\n${inner}${json(shape.element, inner)}\n${inner}...\n${edge}]`;
    case 'enum':
      return shape.values.length > MAX_INLINE_VALUES
        ? '"string"'
        : shape.values.map((value) => `"${value}"`).join('|');
    case 'string':
      return '"string"';
    case 'boolean':
      return 'true|false';
    default:
      return typeName(shape);
  }
}

/** More values than these would drown the form; the constraints list them. */
const MAX_INLINE_VALUES = 8;
