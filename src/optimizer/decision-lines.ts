import type { Checkpoint } from '../checkpoint/open.js';
import { formatBytes } from './report/table.js';

/** The line of the log that says what a step was given. */
export function sourceLine({ config, tensors, shards }: Checkpoint): string {
  const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  const files = shards.length === 1 ? '1 file' : `${shards.length} files`;
  return `model: ${config.modelType}, ${tensors.size} tensors in ${files}, ${formatBytes(bytes)}`;
}

/** The line of the log that says by which settings a step goes, those that nobody gave included. */
export function settingsLine(effective: Readonly<Record<string, string>>): string {
  const given = Object.entries(effective).map(([name, value]) => `${name}=${value}`);
  return `settings: ${given.join(' ')}`;
}
