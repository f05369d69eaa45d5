/**
 * The `yaml` and `yaml-stream` formats: block style, keys in order, values that are the same object
 * written once and referred to.
 */
import { jsonText } from './format-json.js';
import {
  ExactNumber,
  isWireList,
  isWireObject,
  numberText,
  sortedKeys,
  type WireObject,
  type WireValue,
} from './wire-value.js';
import { INDENT_STEP, YamlEmitter } from './yaml-emitter.js';
import { styleOf } from './yaml-scalar.js';

/** Keys that are longer, in bytes, are written in the explicit `? key` form. */
const MAX_SIMPLE_KEY_BYTES = 128;

/** A scalar at the top is JSON, everything else is YAML; both end in a newline. */
export function formatYaml(value: WireValue): string {
  if (!isWireList(value) && !isWireObject(value)) return `${jsonText(value, '\n')}\n`;
  const document = new YamlDocument(value);
  return document.toString();
}

class YamlDocument {
  readonly #emitter = new YamlEmitter();
  readonly #anchors: ReadonlyMap<object, string>;
  readonly #written = new Set<object>();

  constructor(value: WireValue) {
    this.#anchors = nameRepeatedNodes(value);
    this.#node(value, { inMapping: false, isRoot: true });
  }

  toString(): string {
    return `${this.#emitter.text}\n`;
  }

  #node(value: WireValue, place: { readonly inMapping: boolean; readonly isRoot?: true }): void {
    if (!isWireList(value) && !isWireObject(value)) {
      this.#scalar(value, false);
      return;
    }
    const anchor = this.#anchors.get(value);
    if (anchor !== undefined) {
      const isAlias = this.#written.has(value);
      this.#emitter.indicator(`${isAlias ? '*' : '&'}${anchor}`, { spaceBefore: true });
      if (isAlias) return;
      this.#written.add(value);
    }
    if (isWireList(value)) this.#sequence(value, place);
    else this.#mapping(value, place);
  }

  #sequence(
    list: readonly WireValue[],
    place: { readonly inMapping: boolean; readonly isRoot?: true },
  ): void {
    if (list.length === 0) {
      this.#emptyCollection('[', ']');
      return;
    }
    const outer = this.#emitter.indent;
    // A sequence under a key needs no indentation of its own: its dashes are enough.
    const keepsIndent =
      place.isRoot === true || (place.inMapping && !this.#emitter.onlyIndentation);
    if (!keepsIndent) this.#emitter.indent += INDENT_STEP;
    for (const item of list) {
      this.#emitter.newLine();
      this.#emitter.indicator('-', { spaceBefore: true, isIndentation: true });
      this.#node(item, { inMapping: false });
    }
    this.#emitter.indent = outer;
  }

  #mapping(structure: WireObject, place: { readonly isRoot?: true }): void {
    const keys = sortedKeys(structure);
    if (keys.length === 0) {
      this.#emptyCollection('{', '}');
      return;
    }
    const outer = this.#emitter.indent;
    if (place.isRoot !== true) this.#emitter.indent += INDENT_STEP;
    for (const key of keys) {
      this.#emitter.newLine();
      const { multiline } = styleOf(key, true);
      if (!multiline && Buffer.byteLength(key) <= MAX_SIMPLE_KEY_BYTES) {
        this.#scalar(key, true);
        this.#emitter.indicator(':');
      } else {
        this.#emitter.indicator('?', { spaceBefore: true, isIndentation: true });
        this.#scalar(key, false);
        this.#emitter.newLine();
        this.#emitter.indicator(':', { spaceBefore: true, isIndentation: true });
      }
      this.#node(structure[key] ?? null, { inMapping: true });
    }
    this.#emitter.indent = outer;
  }

  #emptyCollection(open: string, close: string): void {
    this.#emitter.indicator(open, { spaceBefore: true, endsInSpace: true });
    this.#emitter.indicator(close);
  }

  #scalar(value: null | boolean | number | string | ExactNumber, isSimpleKey: boolean): void {
    if (typeof value === 'string') {
      const { style } = styleOf(value, isSimpleKey);
      this.#emitter.scalar(value, style, !isSimpleKey);
      return;
    }
    const text =
      typeof value === 'number' || value instanceof ExactNumber
        ? yamlNumber(numberText(value))
        : String(value);
    this.#emitter.scalar(text, 'plain', false);
  }
}

const NOT_FINITE: Readonly<Record<string, string>> = {
  NaN: '.nan',
  Infinity: '.inf',
  '-Infinity': '-.inf',
};

const yamlNumber = (text: string): string => NOT_FINITE[text] ?? text;

/**
 * Lists and structures that occur more than once, as a query can make them do, each with the name
 * of its anchor: numbered in the order in which their second occurrences come.
 */
function nameRepeatedNodes(root: WireValue): ReadonlyMap<object, string> {
  const seen = new Set<object>();
  const names = new Map<object, string>();
  const visit = (value: WireValue): void => {
    if (!isWireList(value) && !isWireObject(value)) return;
    if (seen.has(value)) {
      if (!names.has(value)) names.set(value, `id${String(names.size + 1).padStart(3, '0')}`);
      return;
    }
    seen.add(value);
    if (isWireList(value)) for (const item of value) visit(item);
    else for (const key of sortedKeys(value)) visit(value[key] ?? null);
  };
  visit(root);
  return names;
}
