import { CheckpointError } from '../../checkpoint/errors.js';
import type { FolderFile } from '../../checkpoint/folder.js';
import { isJsonObject, type JsonValue, readJsonFile } from '../../checkpoint/json.js';
import { REPORT_FILE, REPORT_VERSION, type StepReport } from './types.js';

/** The steps that an earlier report in the source's folder tells of: the model went through them before
 * this one. A file of that name that is something else is not taken for a report.
 * @returns the steps, and a note if there was a file that is none. */
export async function previousSteps(
  files: readonly FolderFile[],
): Promise<{ readonly steps: readonly StepReport[]; readonly notes: readonly string[] }> {
  const file = files.find(({ name }) => name === REPORT_FILE);
  if (file === undefined) return { steps: [], notes: [] };
  const value = await readJsonFile(file.path).then(
    (read) => read.value,
    (error: unknown) => {
      if (error instanceof CheckpointError) return null;
      throw error;
    },
  );
  const steps = stepsOf(value);
  return steps === undefined
    ? {
        steps: [],
        notes: [`${REPORT_FILE} in the source is not a report of this version; it was replaced.`],
      }
    : { steps, notes: [] };
}

function stepsOf(value: JsonValue): readonly StepReport[] | undefined {
  if (!isJsonObject(value) || value.schemaVersion !== REPORT_VERSION) return undefined;
  const { steps } = value;
  if (!Array.isArray(steps) || !steps.every((step) => isJsonObject(step))) return undefined;
  return steps as unknown as readonly StepReport[];
}
