import { EXIT_STATUS } from '../output/errors.js';
import type { ManualPage } from './manual-page.js';

const MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT_STATUS.success, 'The command did what it was asked to.'],
  [EXIT_STATUS.interrupted, 'The user interrupted it with Ctrl-C.'],
  [EXIT_STATUS.usage, 'The arguments are wrong; nothing was sent.'],
  [EXIT_STATUS.configuration, 'The environment or the configuration is wrong or incomplete.'],
  [EXIT_STATUS.serviceError, 'The service answered with an error.'],
  [
    EXIT_STATUS.failure,
    'Anything else: the endpoint can’t be reached, or the job that was waited for did not succeed.',
  ],
];

export function explainExitStatus(page: ManualPage): void {
  page.heading('EXIT STATUS');
  page.columns(MEANINGS.map(([status, meaning]) => [String(status), meaning] as const));
}
