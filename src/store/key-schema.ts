/** The named keys that objects are encrypted under. Times are milliseconds since the epoch. */

export interface KmsKeyTable {
  readonly id: string;
  readonly description: string;
  /** `Enabled`, `Disabled` or `PendingDeletion`. */
  readonly state: string;
  readonly created_at: number;
  /** When a key that is to be deleted is gone. */
  readonly deletion_at: number | null;
}

/** What a key really is: one row at first, and another for every rotation. */
export interface KmsKeyVersionTable {
  readonly key_id: string;
  /** Counted from 1. */
  readonly version: number;
  /** The key's bytes, sealed under the master key. */
  readonly sealed: string;
  readonly created_at: number;
}

export interface KmsAliasTable {
  /** With `alias/` in front. */
  readonly name: string;
  readonly key_id: string;
  readonly created_at: number;
}

export interface KeySchema {
  readonly kms_keys: KmsKeyTable;
  readonly kms_key_versions: KmsKeyVersionTable;
  readonly kms_aliases: KmsAliasTable;
}
