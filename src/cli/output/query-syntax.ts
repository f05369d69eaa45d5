import { compile } from '@jmespath-community/jmespath';
import { UsageError } from './errors.js';

/** The syntax tree of a query. */
export type QueryNode = ReturnType<typeof compile>;

/** Syntax that JMESPath's community edition adds, and the AWS CLI refuses. */
const NOT_IN_AWS = new Set([
  'Arithmetic',
  'Binding',
  'LetExpression',
  'Root',
  'Ternary',
  'Unary',
  'Variable',
]);

/**
 * Parses a JMESPath expression, literals without quotes inside backticks included.
 *
 * @throws UsageError that repeats the expression and says what is wrong with it.
 */
export function parseQuery(expression: string): QueryNode {
  const refuse = (reason: string, cause?: unknown) =>
    new UsageError(`Bad value for --query ${expression}: ${reason}`, { cause });
  if (expression === '') throw refuse('Invalid JMESPath expression: cannot be empty.');
  let tree: QueryNode;
  try {
    tree = compile(expression, { enable_legacy_literals: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse(`Invalid jmespath expression: ${reason}`, error);
  }
  const foreign = findForeignSyntax(tree);
  if (foreign !== undefined) {
    throw refuse(`Invalid jmespath expression: ${foreign} expressions are not supported.`);
  }
  return tree;
}

/** The type of the first node that the AWS CLI would not parse. */
function findForeignSyntax(tree: unknown): string | undefined {
  if (tree === null || typeof tree !== 'object') return undefined;
  if ('type' in tree && typeof tree.type === 'string') {
    if (NOT_IN_AWS.has(tree.type)) return tree.type;
    if (tree.type === 'Literal') return undefined;
  }
  for (const child of Object.values(tree)) {
    const foreign = findForeignSyntax(child);
    if (foreign !== undefined) return foreign;
  }
  return undefined;
}
