/**
 * The `table` format. Every structure is a box: its scalars are one row under their names, or a
 * line each where the row would be wider than the terminal; nested values are boxes inside it.
 */

import { renderTable, type TableStyle } from './render-table.js';
import { notATable, TableSection } from './table-section.js';
import {
  compareCodePoints,
  ExactNumber,
  isWireList,
  isWireObject,
  type WireObject,
  type WireValue,
} from './wire-value.js';

/** @throws CliError where the value has no form as a table, for example rows of unequal length. */
export function formatTable(title: string, value: WireValue, style: TableStyle): string {
  const sections = new SectionBuilder();
  sections.add(title, value, 0);
  return sections.list.length === 0 ? '' : renderTable(sections.list, style);
}

class SectionBuilder {
  readonly list: TableSection[] = [];

  /** @param title absent where the value goes into the section that is open */
  add(title: string | undefined, value: WireValue, depth: number): void {
    if (isEmpty(value)) return;
    if (title !== undefined) this.#open(title, depth);
    if (isWireList(value)) this.#addList(value, title, depth);
    else if (isWireObject(value)) this.#addStructure(value, depth);
  }

  #addList(list: readonly WireValue[], title: string | undefined, depth: number): void {
    if (isWireObject(list[0] ?? null)) {
      this.#addStructures(list, title, depth);
      return;
    }
    for (const item of list) {
      if (!isWireList(item) && !isWireObject(item)) {
        this.#current.addRow([item]);
        continue;
      }
      const cells = isWireList(item) ? item : Object.keys(item);
      if (cells.every((cell) => !isWireList(cell) && !isWireObject(cell))) {
        this.#current.addRow(cells);
      } else this.add(undefined, item, 0);
    }
  }

  #addStructure(structure: WireObject, depth: number): void {
    const { scalars, nested } = namesByKind([structure]);
    const [only] = scalars;
    if (only !== undefined && scalars.length === 1) {
      this.#current.addRow([only, structure[only] ?? null]);
    } else if (scalars.length > 0) {
      this.#current.setHeadings(scalars);
      this.#current.addRow(scalars.map((name) => structure[name] ?? null));
    }
    for (const name of nested) this.add(name, structure[name] ?? null, depth + 1);
  }

  #addStructures(list: readonly WireValue[], title: string | undefined, depth: number): void {
    const structures = list.map((item) => {
      if (isWireObject(item)) return item;
      if (item === '' || (isWireList(item) && item.length === 0)) return {};
      throw notATable('A list of structures and other values can’t be printed as a table.');
    });
    const { scalars, nested } = namesByKind(structures);
    this.#current.setHeadings(scalars);
    for (const [index, structure] of structures.entries()) {
      if (index > 0 && nested.length > 0) {
        this.#open(title ?? '', depth);
        this.#current.setHeadings(scalars);
      }
      this.#current.addRow(
        scalars.map((name) => (Object.hasOwn(structure, name) ? (structure[name] ?? null) : '')),
      );
      for (const name of nested) {
        if (Object.hasOwn(structure, name)) this.add(name, structure[name] ?? null, depth + 1);
      }
    }
  }

  #open(title: string, depth: number): void {
    this.list.push(new TableSection(title, depth));
  }

  get #current(): TableSection {
    const current = this.list.at(-1);
    if (current === undefined) throw new Error('A table begins with a title.');
    return current;
  }
}

/** What prints nothing at all: null, false, zero, and whatever has no content. */
function isEmpty(value: WireValue): boolean {
  if (value instanceof ExactNumber) return value.valueOf() === 0;
  if (isWireList(value)) return value.length === 0;
  if (isWireObject(value)) return Object.keys(value).length === 0;
  return !value;
}

/** Names, in order, that are a scalar in some structure, and names that are nested in some. */
function namesByKind(structures: readonly WireObject[]): {
  readonly scalars: readonly string[];
  readonly nested: readonly string[];
} {
  const scalars = new Set<string>();
  const nested = new Set<string>();
  for (const structure of structures) {
    for (const [name, value] of Object.entries(structure)) {
      (isWireList(value) || isWireObject(value) ? nested : scalars).add(name);
    }
  }
  return {
    scalars: [...scalars].sort(compareCodePoints),
    nested: [...nested].sort(compareCodePoints),
  };
}
