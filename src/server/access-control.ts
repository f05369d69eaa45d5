import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Authorizer, Permission, RequestFacts } from '../identity/authorizer.js';
import { rootPrincipal } from '../identity/principal.js';
import { isUnsigned } from '../identity/signature-claim.js';
import {
  type AccessKeyLookup,
  type SignedRequest,
  UNSIGNED_PAYLOAD,
  type VerifiedRequest,
  type VerifyOptions,
  verifySignature,
} from '../identity/signature-v4.js';
import type { RateLimiter } from './rate-limiter.js';

export interface AccessControlOptions {
  readonly keys: AccessKeyLookup;
  readonly authorizer: Authorizer;
  readonly accountId: string;
  readonly region: string;
  /** Whether a request without a signature is the administrator's. */
  readonly allowUnsigned: boolean;
  readonly limiter: RateLimiter;
}

/** Who asks, and whether they may: the same for every protocol on the port. */
export class AccessControl {
  constructor(private readonly options: AccessControlOptions) {}

  /** @throws AuthenticationError, RateExceededError */
  verify(request: SignedRequest, options: VerifyOptions): VerifiedRequest {
    const verified =
      this.options.allowUnsigned && isUnsigned(request)
        ? this.unsigned(request, options)
        : verifySignature(request, this.options.keys, options);
    this.options.limiter.take(verified.accessKeyId);
    return verified;
  }

  /** @throws AccessDeniedError for the first that is denied */
  async authorize(
    verified: VerifiedRequest,
    request: IncomingMessage,
    permissions: readonly Permission[],
  ): Promise<void> {
    if (verified.principal.kind === 'root') return;
    const facts = this.factsOf(verified, request);
    for (const permission of permissions) {
      await this.options.authorizer.authorize(verified.principal, permission, facts);
    }
  }

  async allows(
    verified: VerifiedRequest,
    request: IncomingMessage,
    permission: Permission,
  ): Promise<boolean> {
    const facts = this.factsOf(verified, request);
    return this.options.authorizer.allows(verified.principal, permission, facts);
  }

  factsOf(verified: VerifiedRequest, { socket }: IncomingMessage): RequestFacts {
    return {
      sourceIp: addressOf(socket),
      secure: socket instanceof TLSSocket,
      region: verified.region,
      now: new Date(),
      tokenIssuedAt: verified.issuedAt,
    };
  }

  private unsigned(request: SignedRequest, { now, service }: VerifyOptions): VerifiedRequest {
    const { accountId, region } = this.options;
    return {
      accessKeyId: 'unsigned',
      principal: rootPrincipal(accountId),
      issuedAt: undefined,
      region,
      service: service ?? '',
      signedAt: now,
      scope: '',
      signingKey: Buffer.alloc(0),
      signature: '',
      payloadHash:
        request.payloadHash ?? request.headers.get('x-amz-content-sha256') ?? UNSIGNED_PAYLOAD,
      presigned: false,
    };
  }
}

/** The client's address, an IPv4 one in its own form also where the socket is of both families. */
export function addressOf(socket: Socket): string | undefined {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, '');
}
