/**
 * The options that every command takes, as data: parsing, help, completion and the prompt are all
 * derived from this table. Source: AWS CLI v2 reference, "Global options".
 */

interface GlobalOptionBase {
  /** With its leading dashes. */
  readonly flag: string;
  /** The member of `GlobalOptions` that the flag sets. */
  readonly key: keyof GlobalOptions | 'version';
  /** In our own words; the source of help texts and prompt hints. */
  readonly documentation: string;
}

/** A flag without a value: giving it sets `key` to `sets`. */
export interface GlobalSwitch extends GlobalOptionBase {
  readonly type: 'boolean';
  readonly sets: boolean | 'on' | 'off';
}

export interface GlobalText extends GlobalOptionBase {
  readonly type: 'string';
  readonly choices?: readonly string[];
  /** What stands for the value in help texts. */
  readonly placeholder: string;
}

export interface GlobalInteger extends GlobalOptionBase {
  readonly type: 'int';
  readonly placeholder: string;
}

export type GlobalOption = GlobalSwitch | GlobalText | GlobalInteger;

export const OUTPUT_FORMATS = ['json', 'text', 'table', 'yaml', 'yaml-stream'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const COLOR_CHOICES = ['on', 'off', 'auto'] as const;
export type ColorChoice = (typeof COLOR_CHOICES)[number];

export const BINARY_FORMATS = ['base64', 'raw-in-base64-out'] as const;
export type BinaryFormat = (typeof BINARY_FORMATS)[number];

/** What the command line said; where an option is absent, configuration decides. */
export interface GlobalOptions {
  readonly debug: boolean;
  readonly endpointUrl?: string;
  readonly verifySsl: boolean;
  readonly paginate: boolean;
  readonly output?: OutputFormat;
  readonly query?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly color: ColorChoice;
  readonly signRequest: boolean;
  readonly caBundle?: string;
  /** Seconds; 0 waits for ever. */
  readonly cliReadTimeout?: number;
  /** Seconds; 0 waits for ever. */
  readonly cliConnectTimeout?: number;
  readonly cliBinaryFormat?: BinaryFormat;
  readonly cliPager: boolean;
  readonly cliAutoPrompt?: 'on' | 'off';
}

/** What holds when no global option is given. */
export const DEFAULT_GLOBAL_OPTIONS: GlobalOptions = {
  debug: false,
  verifySsl: true,
  paginate: true,
  color: 'auto',
  signRequest: true,
  cliPager: true,
};

export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  {
    flag: '--debug',
    key: 'debug',
    type: 'boolean',
    sets: true,
    documentation:
      'Write what happens to standard error: settings, requests, responses, retries. Secrets are left out.',
  },
  {
    flag: '--endpoint-url',
    key: 'endpointUrl',
    type: 'string',
    placeholder: 'url',
    documentation:
      'Send requests to this URL. Without it, the environment and the configuration files decide, and where they name no endpoint, the local service is called.',
  },
  {
    flag: '--no-verify-ssl',
    key: 'verifySsl',
    type: 'boolean',
    sets: false,
    documentation:
      'Accept any TLS certificate from the endpoint, even one that nobody vouches for.',
  },
  {
    flag: '--no-paginate',
    key: 'paginate',
    type: 'boolean',
    sets: false,
    documentation: 'Make one request and print one page, also where there are more.',
  },
  {
    flag: '--output',
    key: 'output',
    type: 'string',
    choices: OUTPUT_FORMATS,
    placeholder: 'format',
    documentation: 'The format to print in.',
  },
  {
    flag: '--query',
    key: 'query',
    type: 'string',
    placeholder: 'expression',
    documentation: 'A JMESPath expression; what it selects from the response is printed.',
  },
  {
    flag: '--profile',
    key: 'profile',
    type: 'string',
    placeholder: 'name',
    documentation: 'The profile of the configuration and credentials files to use.',
  },
  {
    flag: '--region',
    key: 'region',
    type: 'string',
    placeholder: 'name',
    documentation:
      'The region that requests are signed for. It wins over the environment and the files.',
  },
  {
    flag: '--version',
    key: 'version',
    type: 'boolean',
    sets: true,
    documentation: 'Print the version and exit.',
  },
  {
    flag: '--color',
    key: 'color',
    type: 'string',
    choices: COLOR_CHOICES,
    placeholder: 'when',
    documentation: 'Whether to print in color; auto does on a terminal.',
  },
  {
    flag: '--no-sign-request',
    key: 'signRequest',
    type: 'boolean',
    sets: false,
    documentation: 'Send requests unsigned, and look for no credentials.',
  },
  {
    flag: '--ca-bundle',
    key: 'caBundle',
    type: 'string',
    placeholder: 'file',
    documentation:
      'A PEM file of the certificate authorities to trust when the endpoint’s certificate is checked.',
  },
  {
    flag: '--cli-read-timeout',
    key: 'cliReadTimeout',
    type: 'int',
    placeholder: 'seconds',
    documentation:
      'The longest silence to accept while a response is read; 0 waits for ever, and 60 is the default.',
  },
  {
    flag: '--cli-connect-timeout',
    key: 'cliConnectTimeout',
    type: 'int',
    placeholder: 'seconds',
    documentation:
      'The longest time to spend on connecting; 0 waits for ever, and 60 is the default.',
  },
  {
    flag: '--cli-binary-format',
    key: 'cliBinaryFormat',
    type: 'string',
    choices: BINARY_FORMATS,
    placeholder: 'format',
    documentation:
      'How binary parameters are given: base64 (the default), or raw-in-base64-out for their bytes as they are. No operation here has a binary parameter; the option is taken so that scripts run unchanged.',
  },
  {
    flag: '--no-cli-pager',
    key: 'cliPager',
    type: 'boolean',
    sets: false,
    documentation: 'Print straight to the terminal, not through a pager.',
  },
  {
    flag: '--cli-auto-prompt',
    key: 'cliAutoPrompt',
    type: 'boolean',
    sets: 'on',
    documentation: 'Ask for the command and its options interactively, with completion.',
  },
  {
    flag: '--no-cli-auto-prompt',
    key: 'cliAutoPrompt',
    type: 'boolean',
    sets: 'off',
    documentation: 'Never ask interactively, whatever is configured.',
  },
];
