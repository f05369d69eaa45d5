import type { Member, Shape, StructureShape, UnionShape } from '../../../service-model/shape.js';
import { SAMPLE_KEY } from './generate-skeleton.js';

const INDENT = '  ';
const SAMPLE_TIME = '1970-01-01 00:00:00';

/** The input skeleton as YAML, with a comment on every member: what it is, and what it may be. */
export function yamlInputSkeleton(shape: StructureShape): string {
  return `${structureLines(shape).join('\n')}\n`;
}

const structureLines = (shape: StructureShape | UnionShape): readonly string[] =>
  Object.entries(shape.members).flatMap(([name, member]) =>
    keyed(name, member.shape, `  # ${comment(member)}`),
  );

/** The lines of `name: value`. Lists stand as deep as their key, maps one step deeper. */
function keyed(name: string, shape: Shape, comment = ''): readonly string[] {
  switch (shape.type) {
    case 'list':
      return [`${name}:${comment}`, ...element(shape.element)];
    case 'map':
      return [`${name}:${comment}`, ...indent(keyed(SAMPLE_KEY, shape.value))];
    case 'structure':
    case 'union':
      return [`${name}:${comment}`, ...indent(structureLines(shape))];
    default:
      return [`${name}: ${scalar(shape)}${comment}`];
  }
}

function element(shape: Shape): readonly string[] {
  const lines =
    shape.type === 'structure' || shape.type === 'union' ? structureLines(shape) : [scalar(shape)];
  return lines.map((line, index) => (index === 0 ? `- ${line}` : INDENT + line));
}

const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => INDENT + line);

function scalar(shape: Shape): string {
  switch (shape.type) {
    case 'integer':
    case 'number':
      return '0';
    case 'boolean':
      return 'true';
    case 'timestamp':
      return SAMPLE_TIME;
    case 'enum':
      return shape.values[0] ?? "''";
    default:
      return "''";
  }
}

function comment({ shape, required, documentation }: Member): string {
  const mark = required ? '[REQUIRED] ' : '';
  const values = shape.type === 'enum' ? ` Valid values are: ${shape.values.join(', ')}.` : '';
  return mark + documentation + values;
}
