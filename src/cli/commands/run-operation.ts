import { OPERATIONS, type Operation, type OperationName } from '../../service-model/operations.js';
import type { JsonValue } from '../../service-model/read-value.js';
import type { Client } from '../client/client.js';
import type { InputObject } from '../input/input-value.js';
import { toRequest } from '../input/to-request.js';
import { printOutput } from '../output/print-output.js';
import { buildInput, textArgument } from './build-input.js';
import { type CommandContext, withClient } from './command-context.js';
import { type PaginationModel, type PagingOptions, paginate } from './pagination/paginate.js';
import { asksForOnePage, misplacedPaging, pagingOptions } from './pagination/paging-arguments.js';
import { withValueSuggestions } from './suggest-values.js';

/** One call of an operation, as the command line wants it. */
interface Call {
  readonly input: InputObject;
  /** Set where all pages are to be asked for. */
  readonly pages?: { readonly model: PaginationModel; readonly options: PagingOptions };
}

/**
 * Calls an operation of the API as the command line says, and prints the answer; with `--wait`,
 * returns when the job has ended.
 *
 * @throws CliError for everything that goes wrong, and where the job ends any way but well.
 */
export async function runOperation(context: CommandContext, name: OperationName): Promise<void> {
  const { given, settings, signal } = context;
  const call = await planCall(context, OPERATIONS[name]);
  const skeleton = textArgument(given, '--generate-cli-skeleton');
  if (skeleton !== undefined) {
    const { printSkeleton } = await import('./print-skeleton.js');
    return printSkeleton(skeleton, name, call.input, settings);
  }
  await withClient(settings, async (client) => {
    await callOperation(client, name, call, context);
    if (given.get('--wait') !== true) return;
    const { waitForCompletion } = await import('./wait-for-job.js');
    await waitForCompletion(client, String(call.input.OptimizationJobName), signal);
  });
}

async function callOperation(
  client: Client,
  name: OperationName,
  { input, pages }: Call,
  { settings, signal }: CommandContext,
): Promise<void> {
  const shape = OPERATIONS[name].input;
  const send = async (request: JsonValue) => {
    try {
      return await client.send(name, request, { signal });
    } catch (error) {
      throw withValueSuggestions(error, shape, request);
    }
  };
  const response =
    pages === undefined
      ? await send(toRequest(shape, input))
      : paginate(pages.model, shape, input, pages.options, send);
  await printOutput(name, response, settings);
}

async function planCall(
  { command, given, settings }: CommandContext,
  { pagination }: Operation,
): Promise<Call> {
  if (pagination === undefined) return { input: await buildInput(command, given) };
  const onePage = asksForOnePage(command, given, settings.paginate);
  const options = pagingOptions(given);
  const input = await buildInput(command, given);
  const setsPage = pagination.inputToken in input || pagination.limitKey in input;
  return onePage || setsPage
    ? { input: { ...input, ...misplacedPaging(options) } }
    : { input, pages: { model: pagination, options } };
}
