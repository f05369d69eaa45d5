/** Why a request is denied, as AWS's messages tell it apart. */
export type DenialReason =
  | 'no identity-based policy'
  | 'no session policy'
  | 'no resource-based policy'
  | 'explicit deny in an identity-based policy'
  | 'explicit deny in a session policy'
  | 'explicit deny in a resource-based policy';

/**
 * Somebody is known, and may not do what they asked for. The message is AWS's:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export class AccessDeniedError extends Error {
  override readonly name = 'AccessDeniedError';
  readonly action: string;

  constructor(
    readonly principalArn: string,
    readonly denied: { readonly action: string; readonly resource: string },
    reason: DenialReason,
  ) {
    const { action, resource } = denied;
    const why = reason.startsWith('explicit')
      ? `with an ${reason}`
      : `because ${reason} allows the ${action} action`;
    super(
      `User: ${principalArn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    );
    this.action = action;
  }
}
