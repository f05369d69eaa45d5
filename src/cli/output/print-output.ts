import type { Settings } from '../configuration/settings.js';
import { type Output, type Terminal, withOutput } from '../terminal/open-output.js';
import { formatJson } from './format-json.js';
import { formatText } from './format-text.js';
import { readResponse } from './read-response.js';
import { isWireList, isWireObject, type WireObject, type WireValue } from './wire-value.js';

/** What a paginated operation answers: bodies as they came over the wire, cut to --max-items. */
export interface PagedResponse {
  /** The member that holds the items, for example `OptimizationJobSummaries`. */
  readonly resultKey: string;
  pages(): AsyncIterable<WireObject>;
  /** Where to go on, if items were left out; known after the last page. */
  resumeToken(): string | undefined;
}

export type OutputSettings = Pick<
  Settings,
  'output' | 'query' | 'color' | 'timestampFormat' | 'pager'
>;

/** What a table is as wide as where standard output is no terminal. */
const DEFAULT_TERMINAL_WIDTH = 80;

/**
 * Prints the response of an operation as the AWS CLI v2 does: members in the order of the model,
 * timestamps in the configured format, the query applied, through the pager on a terminal. An
 * empty response prints nothing. `text` and `yaml-stream` print page by page.
 *
 * @param operationName for example `ListOptimizationJobs`; the title of a table
 * @throws CliError where the query can't be evaluated or its result has no form in the format.
 */
export async function printOutput(
  operationName: string,
  response: WireValue | PagedResponse,
  settings: OutputSettings,
  stdout: Terminal = process.stdout,
): Promise<void> {
  const read = (body: WireValue) => readResponse(operationName, body, settings.timestampFormat);
  await withOutput(
    settings.pager,
    async (output) => {
      const printer = new Printer(operationName, settings, output, stdout);
      if (isPaged(response)) await printPages(response, read, printer, settings);
      else await printer.print(read(response));
    },
    stdout,
  );
}

/**
 * Prints a value as it is, for example a skeleton: the query and the format apply, no model does.
 *
 * @throws CliError as `printOutput` does.
 */
export async function printValue(
  title: string,
  value: WireValue,
  settings: OutputSettings,
  stdout: Terminal = process.stdout,
): Promise<void> {
  await withOutput(
    settings.pager,
    async (output) => {
      await new Printer(title, settings, output, stdout).print(value);
    },
    stdout,
  );
}

const isPaged = (response: WireValue | PagedResponse): response is PagedResponse =>
  response !== null &&
  typeof response === 'object' &&
  'pages' in response &&
  typeof response.pages === 'function';

async function printPages(
  response: PagedResponse,
  read: (body: WireValue) => WireValue,
  printer: Printer,
  settings: OutputSettings,
): Promise<void> {
  const { resultKey } = response;
  const itemsOf = (page: WireValue): WireValue => (page as WireObject)[resultKey] ?? null;
  if (settings.output === 'yaml-stream') {
    for await (const body of response.pages()) {
      if (!(await printer.printPage(read(body)))) return;
    }
    return;
  }
  if (settings.output === 'text') {
    for await (const body of response.pages()) {
      if (!(await printer.print({ [resultKey]: itemsOf(read(body)) }))) return;
    }
    const token = response.resumeToken();
    if (token !== undefined) await printer.print({ NextToken: { NextToken: token } });
    return;
  }
  let items: WireValue[] | undefined;
  for await (const body of response.pages()) {
    const page = itemsOf(read(body));
    if (isWireList(page)) {
      items ??= [];
      for (const item of page) items.push(item);
    }
  }
  const token = response.resumeToken();
  await printer.print({
    ...(items === undefined ? {} : { [resultKey]: items }),
    ...(token === undefined ? {} : { NextToken: token }),
  });
}

class Printer {
  constructor(
    private readonly title: string,
    private readonly settings: OutputSettings,
    private readonly output: Output,
    private readonly stdout: Terminal,
  ) {}

  /** Prints a whole response; an empty structure prints nothing. False where nobody reads. */
  async print(response: WireValue): Promise<boolean> {
    const value = this.#select(response);
    const isEmpty = isWireObject(value) && Object.keys(value).length === 0;
    return this.output.write(isEmpty ? '' : await this.#format(value));
  }

  /** Prints one page of several, an empty one too. False where nobody reads. */
  async printPage(page: WireValue): Promise<boolean> {
    return this.output.write(await this.#format(this.#select(page)));
  }

  #select(response: WireValue): WireValue {
    const { query } = this.settings;
    return query === undefined ? response : query.search(response);
  }

  async #format(value: WireValue): Promise<string> {
    switch (this.settings.output) {
      case 'text':
        return formatText(value);
      case 'table':
        return this.#formatTable(value);
      case 'json':
        return formatJson(value);
      default: {
        const { formatYaml } = await import('./format-yaml.js');
        return formatYaml(this.settings.output === 'yaml' ? value : [value]);
      }
    }
  }

  async #formatTable(value: WireValue): Promise<string> {
    const [{ formatTable }, { RESET }] = await Promise.all([
      import('./format-table.js'),
      import('./render-table.js'),
    ]);
    const isTerminal = this.stdout.isTTY === true;
    const { color: choice } = this.settings;
    const color = choice === 'on' || (choice === 'auto' && isTerminal);
    return formatTable(this.title, value, {
      terminalWidth: (isTerminal ? this.stdout.columns : undefined) ?? DEFAULT_TERMINAL_WIDTH,
      color,
      afterEachPiece: color && this.output.isDirect ? RESET : '',
    });
  }
}
