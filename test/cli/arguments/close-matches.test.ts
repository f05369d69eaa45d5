import { describe, expect, it } from 'vitest';
import { closeMatches } from '#burnish/cli/arguments/close-matches.js';

describe('close matches', () => {
  it('orders candidates by likeness, the closest first', () => {
    expect(
      closeMatches('list-optimization-job', [
        'delete-optimization-job',
        'list-optimization-jobs',
        'list-tags',
        'stop-optimization-job',
      ]),
    ).toEqual(['list-optimization-jobs', 'stop-optimization-job', 'delete-optimization-job']);
  });

  it('suggests nothing for a word that is like none', () => {
    expect(closeMatches('frobnicate', ['list-tags', 'add-tags'])).toEqual([]);
    expect(closeMatches('', ['list-tags'])).toEqual([]);
  });

  it('does not count case', () => {
    expect(closeMatches('completed', ['COMPLETED', 'FAILED'])).toEqual(['COMPLETED']);
  });

  it('gives three at most', () => {
    expect(closeMatches('word', ['words', 'wordy', 'worde', 'wordz'])).toHaveLength(3);
  });
});
