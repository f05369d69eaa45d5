import { OPERATIONS } from '../../service-model/operations.js';
import {
  DEFAULT_GLOBAL_OPTIONS,
  GLOBAL_OPTIONS,
  type GlobalOptions,
} from '../configuration/global-options.js';
import { isWireList, isWireObject, type WireObject, type WireValue } from '../output/wire-value.js';
import type { ServiceNames } from './candidates.js';

/** Nobody waits longer for a completion. */
const PATIENCE_MS = 1500;

/** As many as one page of the operation can have. */
const MAX_NAMES = 100;

/**
 * Asks the service that the command line leads to. A service that can't be asked has no names:
 * completion never fails and never waits long.
 */
export function serviceNames(words: readonly string[]): ServiceNames {
  const asked = new Map<string, Promise<readonly WireObject[]>>();
  const summaries = (prefix: string) => {
    const known = asked.get(prefix);
    if (known !== undefined) return known;
    const jobs = listJobs(words, prefix).catch(() => []);
    asked.set(prefix, jobs);
    return jobs;
  };
  const texts = (jobs: readonly WireObject[], member: string) =>
    jobs.map((job) => job[member]).filter((value): value is string => typeof value === 'string');
  return {
    jobNames: async (prefix) => texts(await summaries(prefix), 'OptimizationJobName'),
    jobArns: async () => texts(await summaries(''), 'OptimizationJobArn'),
  };
}

async function listJobs(words: readonly string[], prefix: string): Promise<readonly WireObject[]> {
  const [{ resolveSettings }, { createClient }] = await Promise.all([
    import('../configuration/resolve-settings.js'),
    import('../client/send-request.js'),
  ]);
  const settings = await resolveSettings(globalsAmong(words));
  const client = await createClient({
    ...settings,
    debug: false,
    maxAttempts: 1,
    connectTimeout: PATIENCE_MS,
    readTimeout: PATIENCE_MS,
  });
  try {
    const answer = await client.send(
      'ListOptimizationJobs',
      {
        MaxResults: MAX_NAMES,
        SortBy: 'CreationTime',
        SortOrder: 'Descending',
        ...(/^[a-zA-Z0-9-]+$/.test(prefix) ? { NameContains: prefix } : {}),
      },
      { signal: AbortSignal.timeout(PATIENCE_MS) },
    );
    const { resultKey } = OPERATIONS.ListOptimizationJobs.pagination ?? { resultKey: '' };
    const items: WireValue = isWireObject(answer) ? (answer[resultKey] ?? null) : null;
    return isWireList(items) ? items.filter(isWireObject) : [];
  } finally {
    client.close();
  }
}

/** The global options that an unfinished command line has so far. */
function globalsAmong(words: readonly string[]): GlobalOptions {
  const given: Record<string, unknown> = {};
  for (const option of GLOBAL_OPTIONS) {
    const { flag, key } = option;
    if (key === 'version' || key === 'query' || key === 'output') continue;
    if (option.type === 'boolean') {
      if (words.includes(flag)) given[key] = option.sets;
      continue;
    }
    const index = words.indexOf(flag);
    const joined = words.find((word) => word.startsWith(`${flag}=`));
    const text = joined?.slice(flag.length + 1) ?? (index < 0 ? undefined : words[index + 1]);
    if (text !== undefined) given[key] = option.type === 'int' ? Number(text) : text;
  }
  return { ...DEFAULT_GLOBAL_OPTIONS, ...given };
}
