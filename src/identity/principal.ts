/** Who is asking, once it is proven. */
export type Principal = RootPrincipal | UserPrincipal | RoleSession | ServicePrincipal;

/** The administrator: whoever holds the key that the first start made. May do everything. */
export interface RootPrincipal {
  readonly kind: 'root';
  readonly arn: string;
  readonly accountId: string;
  /** AWS's `aws:userid`: the account. */
  readonly userId: string;
}

export interface UserPrincipal {
  readonly kind: 'user';
  readonly arn: string;
  readonly accountId: string;
  readonly userId: string;
  readonly userName: string;
}

/** Somebody, or a job, that acts as a role for a while. */
export interface RoleSession {
  readonly kind: 'session';
  /** `arn:aws:sts::<account>:assumed-role/<role>/<session>` */
  readonly arn: string;
  readonly accountId: string;
  /** `<role id>:<session name>` */
  readonly userId: string;
  readonly roleName: string;
  readonly roleArn: string;
  /** A policy, as JSON, that narrows what the role may do for this session. */
  readonly sessionPolicy?: string | undefined;
}

/** A service that acts of its own accord, for example `sagemaker.amazonaws.com`. */
export interface ServicePrincipal {
  readonly kind: 'service';
  readonly arn: string;
  readonly accountId: string;
  readonly userId: string;
}

export const userArn = (accountId: string, name: string): string =>
  `arn:aws:iam::${accountId}:user/${name}`;

export const roleArn = (accountId: string, name: string): string =>
  `arn:aws:iam::${accountId}:role/${name}`;

/** The account itself, of which no policy is asked. */
export function rootPrincipal(accountId: string): RootPrincipal {
  return {
    kind: 'root',
    arn: `arn:aws:iam::${accountId}:root`,
    accountId,
    userId: accountId,
  };
}

/** A service that acts by its own right, for example `sagemaker.amazonaws.com`. */
export function servicePrincipal(name: string, accountId: string): ServicePrincipal {
  return { kind: 'service', arn: name, accountId, userId: name };
}
