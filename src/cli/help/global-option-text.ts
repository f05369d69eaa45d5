import { GLOBAL_OPTIONS } from '../configuration/global-options.js';
import type { ManualPage } from './manual-page.js';

export function describeGlobalOptions(page: ManualPage): void {
  page.heading('GLOBAL OPTIONS');
  for (const option of GLOBAL_OPTIONS) {
    if (option.type === 'boolean') {
      page.item(option.flag, option.documentation);
      continue;
    }
    page.item(`${option.flag} <${option.placeholder}>`, option.documentation);
    const choices = option.type === 'string' ? option.choices : undefined;
    if (choices !== undefined) page.paragraph(`Possible values: ${choices.join(', ')}.`, 1);
  }
}
