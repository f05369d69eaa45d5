import { quoted } from '../../checkpoint/errors.js';
import type { SettingValues } from './definitions.js';
import { SettingsError } from './errors.js';
import { suggest } from './suggest.js';

/** A value in its canonical spelling.
 * @param label the setting, as the caller wrote it.
 * @throws SettingsError naming the setting, the value and what is allowed. */
export function canonicalValue(values: SettingValues, value: string, label: string): string {
  if (values.kind === 'modules') return value;
  if (values.kind === 'number') return canonicalNumber(values, value, label);
  if (values.kind === 'dataset') {
    if (/^s3:\/\/[^/]+\/./.test(value)) return value;
    throw new SettingsError(label, `${label} is ${quoted(value)}, but must be an s3:// URI`);
  }
  const allowed = values.kind === 'boolean' ? ['true', 'false'] : values.allowed;
  const asked = value.trim().toLowerCase();
  const match = allowed.find((choice) => choice.toLowerCase() === asked);
  if (match !== undefined) return match;
  // One digit more or less is another number, not a slip.
  const spellings = new Map(allowed.map((choice) => [choice.toLowerCase(), choice]));
  const near = /^-?\d+$/.test(asked) ? undefined : suggest(asked, spellings.keys());
  throw new SettingsError(
    label,
    `${label} is ${quoted(value)}, but must be one of ${allowed.join(', ')}${
      near === undefined ? '' : `; did you mean ${spellings.get(near)}?`
    }`,
  );
}

function canonicalNumber(
  { whole, least, most }: SettingValues & { readonly kind: 'number' },
  value: string,
  label: string,
): string {
  const text = value.trim();
  const number = Number(text);
  const form = whole ? /^\d+$/ : /^\d+(\.\d+)?(e-?\d+)?$/i;
  if (!form.test(text) || !(number >= least && number <= most)) {
    throw new SettingsError(
      label,
      `${label} is ${quoted(value)}, but must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
    );
  }
  return String(number);
}
