import { describe, expect, it } from 'vitest';
import { ConnectionError, ServiceResponseError } from '#burnish/cli/client/errors.js';
import {
  CliError,
  ConfigurationError,
  InterruptedError,
  UsageError,
} from '#burnish/cli/output/errors.js';
import { printError } from '#burnish/cli/output/print-error.js';

function print(error: unknown) {
  let stdout = '';
  let stderr = '';
  const status = printError(error, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { status, stdout, stderr };
}

describe('an error', () => {
  it.each([
    [new UsageError('bad argument'), 252, '\nbad argument\n'],
    [new ConfigurationError('bad profile'), 253, '\nbad profile\n'],
    [
      new ServiceResponseError('ResourceNotFound', 'gone', 'StopOptimizationJob', 400),
      254,
      '\nAn error occurred (ResourceNotFound) when calling the StopOptimizationJob operation: gone\n',
    ],
    [
      new ServiceResponseError('ThrottlingException', 'Rate exceeded', 'ListTags', 400, 2),
      254,
      '\nAn error occurred (ThrottlingException) when calling the ListTags operation (reached max retries: 2): Rate exceeded\n',
    ],
    [
      new ConnectionError('unreachable', 'http://127.0.0.1:1/'),
      255,
      '\nCould not connect to the endpoint URL: "http://127.0.0.1:1/"\n',
    ],
    [new CliError('no such thing', 255), 255, '\nno such thing\n'],
    [new Error('a bug'), 255, '\na bug\n'],
    ['thrown text', 255, '\nthrown text\n'],
  ])('%s', (error, status, stderr) => {
    expect(print(error)).toEqual({ status, stdout: '', stderr });
  });

  it('that is an interruption prints a line break only', () => {
    expect(print(new InterruptedError())).toEqual({ status: 130, stdout: '\n', stderr: '' });
  });
});
