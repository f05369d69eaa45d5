import { COMMANDS } from '../configuration/command-table.js';
import { explainExitStatus } from './exit-status.js';
import { describeGlobalOptions } from './global-option-text.js';
import { ManualPage, type PageStyle } from './manual-page.js';

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  [
    'AWS_ENDPOINT_URL_SAGEMAKER',
    'Where requests go; AWS_ENDPOINT_URL does the same for all services.',
  ],
  ['BURNISH_ENDPOINT_URL', 'Where the local service is, if not at http://127.0.0.1:4580.'],
  ['BURNISH_DATA_DIR', 'The data folder of the local service, and so of its access key.'],
  ['AWS_PROFILE', 'The profile to use.'],
  ['AWS_REGION', 'The region; AWS_DEFAULT_REGION is read after it.'],
  ['AWS_ACCESS_KEY_ID', 'The access key, with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.'],
  ['AWS_CONFIG_FILE', 'The configuration file, if not ~/.aws/config.'],
  ['AWS_SHARED_CREDENTIALS_FILE', 'The credentials file, if not ~/.aws/credentials.'],
  ['AWS_DEFAULT_OUTPUT', 'The output format.'],
  ['AWS_PAGER', 'The pager; nothing for none.'],
  ['AWS_CA_BUNDLE', 'The certificate authorities to trust.'],
  ['AWS_CLI_AUTO_PROMPT', 'on, on-partial or off.'],
  ['AWS_MAX_ATTEMPTS', 'How often a request is tried, with AWS_RETRY_MODE.'],
  ['HTTPS_PROXY', 'The proxy for https endpoints; HTTP_PROXY for http, NO_PROXY for exceptions.'],
];

const SETTINGS: readonly (readonly [string, string])[] = [
  ['region', 'The region.'],
  ['output', 'The output format.'],
  ['endpoint_url', 'Where requests go; in a [services] section under sagemaker, only these.'],
  ['ca_bundle', 'The certificate authorities to trust.'],
  ['cli_pager', 'The pager; nothing for none.'],
  ['cli_auto_prompt', 'on, on-partial or off.'],
  ['cli_timestamp_format', 'iso8601, or wire for times as the service sends them.'],
  ['cli_binary_format', 'base64 or raw-in-base64-out.'],
  ['max_attempts', 'How often a request is tried, with retry_mode.'],
];

/** The manual page of the program. */
export function programManual(style: PageStyle): string {
  const page = new ManualPage(style);
  page.heading('NAME').paragraph('burnish - optimize models for inference');
  page.heading('SYNOPSIS');
  page.verbatim(
    'burnish [global options] <command> [options]\nburnish help [<command>]\nburnish <command> help',
  );
  page
    .heading('DESCRIPTION')
    .paragraph(
      'Burnish runs the optimization jobs of the SageMaker API on machines of your own: it quantizes, compiles or shards a model and publishes the result. This program starts the service and calls it.',
    )
    .paragraph(
      'The commands that are named like operations take what "aws sagemaker" takes and print what it prints. They call the service on this machine unless an endpoint is named by option, environment or configuration: a profile that was made for AWS does not lead there by itself. Where no credentials are configured, those of the local service are used.',
    )
    .paragraph(
      'A value can be given as JSON, in shorthand (Key=a,Value=b), or from a file as file://PATH, or fileb://PATH for bytes.',
    );
  page.heading('COMMANDS').columns(COMMANDS.map(({ name, summary }) => [name, summary] as const));
  describeGlobalOptions(page);
  page.heading('ENVIRONMENT').columns(ENVIRONMENT);
  page
    .heading('CONFIGURATION')
    .paragraph('A profile in ~/.aws/config and ~/.aws/credentials can have these settings:')
    .columns(SETTINGS);
  explainExitStatus(page);
  return page.toString();
}
