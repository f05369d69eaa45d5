import type { FittedGrid } from './integer-grid.js';
import type { FactoredGram } from './prepare-gram.js';
import type { Family, LinearWeight } from './technique.js';

/** What was met in a family's statistics and had to be handled, in sentences. */
export function gramNotes(
  { name }: Family,
  { gram }: FactoredGram,
  asked: number,
): readonly string[] {
  const notes: string[] = [];
  if (gram.deadChannels > 0) {
    notes.push(
      `${name}: ${counted(gram.deadChannels, 'input channel')} of ${gram.matrix.rows} never active in calibration; rounded to nearest.`,
    );
  }
  if (gram.damping > asked) {
    notes.push(
      `${name}: its Gram matrix is singular at a damping of ${asked}; it was raised to ${gram.damping}.`,
    );
  }
  return notes;
}

/** Groups whose weights are all the same number, and widths that are no multiple of the group. */
export function weightNotes(
  weights: readonly LinearWeight[],
  { groupSize, groups }: FittedGrid,
): readonly string[] {
  const notes: string[] = [];
  for (const weight of weights) {
    const { name, columns } = weight;
    const constant = constantGroups(weight, groupSize, groups);
    if (constant > 0) {
      notes.push(`${name}: ${counted(constant, 'group')} of one constant weight throughout.`);
    }
    if (columns % groupSize !== 0) {
      notes.push(`${name}: the last group of each row has ${columns % groupSize} columns.`);
    }
  }
  return notes;
}

function constantGroups(
  { rows, columns, values }: LinearWeight,
  groupSize: number,
  groups: number,
): number {
  let count = 0;
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < groups; group++) {
      const first = row * columns + group * groupSize;
      const end = Math.min((row + 1) * columns, first + groupSize);
      let at = first + 1;
      while (at < end && values[at] === values[first]) at++;
      if (at === end && end - first > 1) count++;
    }
  }
  return count;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
