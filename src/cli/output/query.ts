import { evaluateQuery } from './evaluate-query.js';
import { parseQuery } from './query-syntax.js';
import type { WireValue } from './wire-value.js';

/** A compiled JMESPath expression. */
export interface Query {
  /** @throws CliError where a function gets what it can't take. */
  search(value: WireValue): WireValue;
}

/** @throws UsageError where the expression is not JMESPath. */
export function compileQuery(expression: string): Query {
  const tree = parseQuery(expression);
  return { search: (value) => evaluateQuery(tree, value) };
}
