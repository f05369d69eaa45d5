import { parseDocument, visit } from 'yaml';
import { Decimal, type InputValue } from './input-value.js';

/**
 * Parses one YAML 1.2 document, keeping apart `1` and `1.0`; dates stay text.
 *
 * @throws Error where it is no YAML, has a key twice, or more aliases than the library allows.
 */
export function parseYaml(text: string): InputValue {
  const document = parseDocument(text, { schema: 'core' });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' && isDecimal(node.source)) {
        node.value = new Decimal(node.source);
      }
    },
  });
  return document.toJS() as InputValue;
}

const isDecimal = (source: string | undefined): source is string =>
  source !== undefined && /^[-+]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?$/.test(source);
