import { string } from '../../../service-model/shape.js';
import type { CommandArguments } from '../../arguments/parse-command-arguments.js';
import type { Command } from '../../configuration/command-table.js';
import type { InputObject, InputValue } from '../../input/input-value.js';
import { parseParameter } from '../../input/parse-parameter.js';
import { UsageError } from '../../output/errors.js';
import type { PagingOptions } from './paginate.js';

const PAGING_FLAGS = ['--starting-token', '--page-size', '--max-items'] as const;

/**
 * The paging options of a command line.
 *
 * @throws UsageError where the starting token is a file that can't be read.
 */
export function pagingOptions(given: CommandArguments): PagingOptions {
  const [startingToken, pageSize, maxItems] = PAGING_FLAGS.map((flag) => given.get(flag));
  return {
    ...(typeof startingToken === 'string' && {
      startingToken: String(parseParameter('--starting-token', string(), startingToken)),
    }),
    ...(typeof pageSize === 'number' && { pageSize }),
    ...(typeof maxItems === 'number' && { maxItems }),
  };
}

/**
 * Whether to ask for one page only: with `--no-paginate`, or where an option sets what pagination
 * would set.
 *
 * @throws UsageError where the command line says both.
 */
export function asksForOnePage(
  command: Command,
  given: CommandArguments,
  paginate: boolean,
): boolean {
  const setsPage = command.options.some(({ flag, hidden }) => hidden && given.has(flag));
  if (paginate && !setsPage) return false;
  const used = PAGING_FLAGS.filter((flag) => Boolean(given.get(flag)));
  if (used.length === 0) return true;
  throw new UsageError(
    `Cannot specify --no-paginate along with pagination arguments: ${used.join(', ')}`,
  );
}

/**
 * The paging options as a member of the input, where the AWS CLI leaves them for validation to
 * refuse: it has no pages to apply them to.
 */
export function misplacedPaging(options: PagingOptions): InputObject {
  const { startingToken, pageSize, maxItems } = options;
  const config: Record<string, InputValue> = {};
  if (startingToken !== undefined) config.StartingToken = startingToken;
  if (pageSize !== undefined) config.PageSize = pageSize;
  if (maxItems !== undefined) config.MaxItems = maxItems;
  return Object.keys(config).length === 0 ? {} : { PaginationConfig: config };
}
