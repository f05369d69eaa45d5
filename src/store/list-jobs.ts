import { type Kysely, sql } from 'kysely';
import type { JobStatus } from './job-record.js';
import { type JobRecord, recordOfRow } from './job-record.js';
import type { Schema } from './schema.js';

export type JobSortKey = 'Name' | 'CreationTime' | 'Status';

export interface JobFilter {
  readonly nameContains?: string | undefined;
  readonly typesContain?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly createdAfter?: number | undefined;
  readonly createdBefore?: number | undefined;
  readonly modifiedAfter?: number | undefined;
  readonly modifiedBefore?: number | undefined;
}

/** The place of one job in an order: what it is sorted by, and its name, which breaks ties. */
export interface JobPosition {
  readonly key: string | number;
  readonly name: string;
}

export interface JobListQuery {
  readonly filter: JobFilter;
  readonly sortBy: JobSortKey;
  readonly descending: boolean;
  /** Only jobs behind this place. */
  readonly after?: JobPosition | undefined;
  readonly limit: number;
}

const SORT_COLUMNS = { Name: 'name', CreationTime: 'created_at', Status: 'status' } as const;

/** One page of jobs. Pages go on from a place in the order, never from a count of rows skipped. */
export async function listJobs(
  db: Kysely<Schema>,
  query: JobListQuery,
): Promise<readonly JobRecord[]> {
  const { filter, descending, after } = query;
  const column = SORT_COLUMNS[query.sortBy];
  const direction = descending ? 'desc' : 'asc';
  let select = db.selectFrom('jobs').selectAll().limit(query.limit).orderBy(column, direction);
  if (column !== 'name') select = select.orderBy('name', direction);
  if (after !== undefined) {
    const behind = descending ? sql`<` : sql`>`;
    select = select.where(
      sql<boolean>`(${sql.ref(column)}, name) ${behind} (${after.key}, ${after.name})`,
    );
  }
  if (filter.status !== undefined) select = select.where('status', '=', filter.status);
  if (filter.createdAfter !== undefined) {
    select = select.where('created_at', '>', filter.createdAfter);
  }
  if (filter.createdBefore !== undefined) {
    select = select.where('created_at', '<', filter.createdBefore);
  }
  if (filter.modifiedAfter !== undefined) {
    select = select.where('modified_at', '>', filter.modifiedAfter);
  }
  if (filter.modifiedBefore !== undefined) {
    select = select.where('modified_at', '<', filter.modifiedBefore);
  }
  // The API's patterns let only letters, digits and hyphens through, so nothing needs escaping.
  if (filter.nameContains !== undefined) {
    select = select.where(contains('name', filter.nameContains));
  }
  if (filter.typesContain !== undefined) {
    select = select.where(contains('optimization_types', filter.typesContain));
  }
  return (await select.execute()).map(recordOfRow);
}

/** Whatever the case, since SQLite's LIKE makes no difference and PostgreSQL's does. */
function contains(column: 'name' | 'optimization_types', part: string) {
  return sql<boolean>`lower(${sql.ref(column)}) like ${`%${part.toLowerCase()}%`}`;
}

/** The place of a job in the order of a query. */
export function positionOf(job: JobRecord, sortBy: JobSortKey): JobPosition {
  const keys = { Name: job.name, CreationTime: job.createdAt, Status: job.status };
  return { key: keys[sortBy], name: job.name };
}

/** What names and states of jobs are made of; it goes into a query. */
const WORD = /^[A-Za-z0-9-]{1,63}$/;

const isWord = (value: unknown) => typeof value === 'string' && WORD.test(value);

/** Whether something from outside is the place of a job in the order of a query. */
export const isPositionOf =
  (sortBy: JobSortKey) =>
  (position: unknown): position is JobPosition => {
    const { key, name } = (position ?? {}) as Partial<Record<keyof JobPosition, unknown>>;
    const fits = sortBy === 'CreationTime' ? Number.isSafeInteger(key) : isWord(key);
    return fits && isWord(name);
  };
