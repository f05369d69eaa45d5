import { OPERATIONS, type Operation } from '../../service-model/operations.js';
import type { Members, Shape } from '../../service-model/shape.js';
import type { Command, CommandOption, PositionalArgument } from '../configuration/command-table.js';
import { describeConstraints } from './describe-constraints.js';
import { EXAMPLES } from './examples.js';
import { explainExitStatus } from './exit-status.js';
import { describeGlobalOptions } from './global-option-text.js';
import { ManualPage, type PageStyle } from './manual-page.js';
import { jsonSyntax, shorthandSyntax, typeName } from './value-syntax.js';

/** The manual page of one command. */
export function commandManual(command: Command, style: PageStyle): string {
  const page = new ManualPage(style);
  const options = command.options.filter((option) => option.hidden !== true);
  page.heading('NAME').paragraph(`burnish ${command.name} - ${firstClause(command.summary)}`);
  page.heading('DESCRIPTION').paragraph(command.summary);
  const operation = command.operation === undefined ? undefined : OPERATIONS[command.operation];
  if (operation !== undefined) {
    page.paragraph(
      `Calls the operation ${command.operation} of the SageMaker API. Takes the same options and prints the same output as "aws sagemaker ${command.name}".`,
    );
  }
  describePaging(page, operation);
  page.heading('SYNOPSIS').verbatim(synopsis(command, options));
  if (command.positionals.length > 0) {
    page.heading('ARGUMENTS');
    for (const positional of command.positionals) describePositional(page, positional);
  }
  if (options.length > 0) {
    page.heading('OPTIONS');
    for (const option of options) describeOption(page, option);
  }
  describeGlobalOptions(page);
  describeExamples(page, command.name);
  if (operation !== undefined) describeOutput(page, operation);
  explainExitStatus(page);
  return page.toString();
}

/** Up to the first mark that a reader could stop at, without a capital or a full stop. */
function firstClause(summary: string): string {
  const [clause = ''] = summary.split(/[.:,;]/);
  return clause.charAt(0).toLowerCase() + clause.slice(1);
}

function describePaging(page: ManualPage, operation: Operation | undefined): void {
  if (operation?.pagination === undefined) return;
  page.paragraph(
    `The operation answers in pages. The command asks for all of them and prints ${operation.pagination.resultKey} as one list, unless --no-paginate is given. With text and yaml-stream output it prints page by page, and a --query applies to each.`,
  );
}

function synopsis(command: Command, options: readonly CommandOption[]): string {
  const lines = [
    ...command.positionals.map(({ name, required }) => bracket(`<${name}>`, required)),
    ...options.map((option) => bracket(`${option.flag}${placeholder(option)}`, option.required)),
    '[global options]',
  ];
  return [`burnish ${command.name}`, ...lines.map((line) => `    ${line}`)].join('\n');
}

const bracket = (text: string, required: boolean): string => (required ? text : `[${text}]`);

function placeholder({ value }: CommandOption): string {
  if (value.kind === 'switch') return '';
  if (value.kind === 'optional-text') return ` [<${value.placeholder}>]`;
  return ' <value>';
}

function describePositional(page: ManualPage, argument: PositionalArgument): void {
  page.item(argument.name, argument.documentation);
  if (argument.choices !== undefined) page.paragraph(possible(argument.choices), 1);
}

const possible = (choices: readonly string[]) => `Possible values: ${choices.join(', ')}.`;

function describeOption(page: ManualPage, { flag, value, required, documentation }: CommandOption) {
  const need = required ? ', required' : '';
  if (value.kind !== 'member') {
    const type = {
      text: 'string',
      integer: 'integer',
      'optional-text': 'string',
      switch: 'switch',
    };
    page.item(`${flag} (${type[value.kind]}${need})`, documentation);
    if ('choices' in value && value.choices !== undefined)
      page.paragraph(possible(value.choices), 1);
    return;
  }
  const { shape } = value;
  page.item(`${flag} (${typeName(shape)}${need})`, documentation);
  describeLimits(page, shape, 1);
  describeInner(page, shape, 1);
  const shorthand = shorthandSyntax(shape);
  if (shorthand !== undefined) page.paragraph('Shorthand syntax:', 1).paragraph(shorthand, 2);
  const json = jsonSyntax(shape);
  if (json !== undefined) page.paragraph('JSON syntax:', 1).verbatim(json, 2);
}

function describeLimits(page: ManualPage, shape: Shape, level: number): void {
  const limits = describeConstraints(shape);
  if (limits.length > 0) page.paragraph(limits.join(' '), level);
}

/** The members of a structure, each with what is inside it. */
function describeInner(page: ManualPage, shape: Shape, level: number): void {
  if (shape.type === 'structure' || shape.type === 'union') {
    describeMembers(page, shape.members, level);
  } else if (shape.type === 'list') {
    const { element } = shape;
    if (element.type === 'structure' || element.type === 'union') {
      page.paragraph(`Each item is a ${typeName(element)}:`, level);
      describeMembers(page, element.members, level);
    } else {
      const limits = describeConstraints(element);
      if (limits.length > 0) page.paragraph(`Each item: ${limits.join(' ')}`, level);
    }
  }
}

function describeMembers(page: ManualPage, members: Members, level: number): void {
  for (const [name, member] of Object.entries(members)) {
    const need = member.required ? ', required' : '';
    page.item(`${name} (${typeName(member.shape)}${need})`, member.documentation, level);
    describeLimits(page, member.shape, level + 1);
    describeInner(page, member.shape, level + 1);
  }
}

function describeExamples(page: ManualPage, command: string): void {
  const examples = EXAMPLES[command] ?? [];
  if (examples.length === 0) return;
  page.heading('EXAMPLES');
  for (const { title, command: line, output } of examples) {
    page.paragraph(title).verbatim(line, 1);
    if (output !== undefined) page.paragraph('Output:').verbatim(output, 1);
  }
}

function describeOutput(page: ManualPage, operation: Operation): void {
  page.heading('OUTPUT');
  const members = operation.output?.members ?? {};
  if (Object.keys(members).length === 0) page.paragraph('None.');
  for (const [name, member] of Object.entries(members)) {
    page.item(`${name} (${typeName(member.shape)})`, member.documentation);
    describeInner(page, member.shape, 1);
  }
}
