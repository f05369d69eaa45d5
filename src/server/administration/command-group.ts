import type { JsonValue } from '../../service-model/read-value.js';
import type { AdministeredRecord } from './open-for-administration.js';

export interface AdministrationOption {
  /** With its leading dashes. */
  readonly flag: string;
  readonly documentation: string;
  readonly optional?: true;
  readonly choices?: readonly string[];
}

/** What was given on the command line. */
export interface CommandValues {
  /** The value of an option, without its dashes; documents are read from their files. */
  readonly value: (option: string) => string;
  readonly optionalValue: (option: string) => string | undefined;
}

export interface AdministrationCommand<Call> {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly AdministrationOption[];
  /** @returns what is printed; undefined for nothing */
  run(call: Call & CommandValues): Promise<JsonValue | undefined>;
}

/** Commands that change one part of a service's record, `burnish NAME COMMAND`. */
export interface CommandGroup<Call> {
  readonly name: string;
  readonly introduction: string;
  readonly commands: readonly AdministrationCommand<Call>[];
  /** What every command takes, besides where the record is; all of it may be left out. */
  readonly commonOptions: readonly AdministrationOption[];
  /** What the commands work with. */
  open(record: AdministeredRecord, values: CommandValues): Call;
  /** AWS's code for what is refused; undefined for what went wrong here. */
  codeOf(error: unknown): string | undefined;
}

export const ACCOUNT_OPTION: AdministrationOption = {
  flag: '--account-id',
  documentation: 'The account in ARNs (000000000000).',
  optional: true,
};
