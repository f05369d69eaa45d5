import type { JsonValue } from '../../service-model/read-value.js';
import type { Settings } from '../configuration/settings.js';

export type JsonObject = { readonly [name: string]: JsonValue };

/** What a paginated operation answers: bodies as they came over the wire, cut to --max-items. */
export interface PagedResponse {
  /** The member that holds the items, for example `OptimizationJobSummaries`. */
  readonly resultKey: string;
  pages(): AsyncIterable<JsonObject>;
  /** Where to go on, if items were left out; known after the last page. */
  resumeToken(): string | undefined;
}

export type OutputSettings = Pick<
  Settings,
  'output' | 'query' | 'color' | 'timestampFormat' | 'pager'
>;

/**
 * Prints the response of an operation as the AWS CLI v2 does: members in the order of the model,
 * timestamps in the configured format, the query applied, through the pager on a terminal.
 */
export async function printOutput(
  _operationName: string,
  _response: JsonValue | PagedResponse,
  _settings: OutputSettings,
): Promise<void> {
  throw new Error('being written');
}

/** Prints a value as it is, for example a skeleton: the query and the format apply, no model does. */
export async function printValue(
  _title: string,
  _value: JsonValue,
  _settings: OutputSettings,
): Promise<void> {
  throw new Error('being written');
}
