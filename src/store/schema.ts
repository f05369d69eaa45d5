import type { Generated, Selectable } from 'kysely';
import type { IdentitySchema } from './identity-schema.js';
import type { KeySchema } from './key-schema.js';

/** Times are milliseconds since the epoch. JSON columns hold what the API calls them. */
export interface JobTable {
  readonly name: string;
  readonly arn: string;
  readonly status: string;
  /** The create request as it was accepted, without its tags, as JSON. */
  readonly request: string;
  /** The job's techniques joined by commas, for example `Quantization,Sharding`. */
  readonly optimization_types: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly failure_reason: string | null;
  /** What is needed to find the running step again after a restart, as JSON. */
  readonly execution: string | null;
  /** Until when the job may wait to be started. */
  readonly queue_deadline: number | null;
  /** What the job is expected to take of a machine, as JSON; null until its source was looked at. */
  readonly needs: string | null;
  /** How far the job had come when it ended, as JSON. */
  readonly progress: string | null;
  /** Which holding of the job is the present one; null while nobody has it. */
  readonly lease_token: string | null;
  /** The process of the service that has the job. */
  readonly lease_node: string | null;
  /** When the job may be taken over, by the database's clock; null where it never may. */
  readonly lease_expires_at: number | null;
  /** How often the job was started anew in a folder of its own. */
  readonly attempt: Generated<number>;
  /** The request that created the job. */
  readonly request_id: string | null;
}

export interface TagTable {
  readonly resource_arn: string;
  readonly key: string;
  readonly value: string;
}

/** One row for every change of state, kept for as long as the job's record. */
export interface JobEventTable {
  readonly id: Generated<number>;
  readonly job_name: string;
  readonly time: number;
  readonly status: string;
  readonly detail: string | null;
}

/** One row: what all nodes of the database have in common. */
export interface InstallationTable {
  readonly id: number;
  readonly data_folder: string;
}

export interface Schema extends IdentitySchema, KeySchema {
  readonly jobs: JobTable;
  readonly tags: TagTable;
  readonly job_events: JobEventTable;
  readonly installation: InstallationTable;
}

export type JobRow = Selectable<JobTable>;
