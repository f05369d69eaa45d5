/** Who may use the service, and what each may do. Times are milliseconds since the epoch. */

/** A user: somebody with access keys. The administrator is not here, its key is a file. */
export interface PrincipalTable {
  readonly name: string;
  /** Unique over time, also when a name is used again: `AIDA…`. */
  readonly id: string;
  readonly created_at: number;
}

export interface AccessKeyTable {
  readonly id: string;
  readonly principal: string;
  /** The secret, sealed under the master key: Signature V4 needs it in clear. */
  readonly sealed_secret: string;
  /** `Active` or `Inactive`. */
  readonly status: string;
  readonly created_at: number;
}

export interface RoleTable {
  readonly name: string;
  /** Unique over time, also when a name is used again: `AROA…`. */
  readonly id: string;
  /** Who may assume the role, as JSON. */
  readonly trust_policy: string;
  readonly max_session_seconds: number;
  readonly created_at: number;
}

/** A policy document of a user or a role. */
export interface PolicyTable {
  /** `user` or `role`. */
  readonly owner_kind: string;
  readonly owner_name: string;
  readonly name: string;
  readonly document: string;
}

/** One row, counted up by every change, by which running services notice it. */
export interface IdentityRevisionTable {
  readonly id: number;
  readonly revision: number;
}

export interface IdentitySchema {
  readonly principals: PrincipalTable;
  readonly access_keys: AccessKeyTable;
  readonly roles: RoleTable;
  readonly policies: PolicyTable;
  readonly identity_revision: IdentityRevisionTable;
}
