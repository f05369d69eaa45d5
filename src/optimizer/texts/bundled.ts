import { fileURLToPath } from 'node:url';

export interface BundledText {
  /** For reports. */
  readonly name: string;
  readonly path: string;
}

function bundled(name: string, file: string): BundledText {
  return {
    name,
    path: fileURLToPath(new URL(`../../../fixtures/texts/${file}`, import.meta.url)),
  };
}

/** What perplexity is measured on where a job names no text. */
export const HELD_OUT_TEXT = bundled(
  'the beginning of WikiText-2’s test split (bundled)',
  'wikitext2-heldout.txt',
);

/** What is calibrated with where a job names no text. */
export const CALIBRATION_TEXT = bundled(
  'WikiText-2’s validation split (bundled)',
  'wikitext2-calibration.txt',
);
