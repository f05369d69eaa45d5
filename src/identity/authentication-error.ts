/** How S3 words a failure that the other services word differently. */
export interface S3Wording {
  readonly code: string;
  readonly message: string;
  readonly statusCode: number;
}

interface AuthenticationFailure {
  readonly code: string;
  readonly message: string;
  readonly s3: S3Wording;
}

/**
 * A request that does not prove who sent it. `code`, `message` and `statusCode` are what the JSON
 * services answer; `s3` is what S3 answers to the same failure.
 */
export class AuthenticationError extends Error {
  override readonly name = 'AuthenticationError';
  readonly code: string;
  readonly statusCode = 400;
  readonly s3: S3Wording;

  constructor(failure: AuthenticationFailure) {
    super(failure.message);
    this.code = failure.code;
    this.s3 = failure.s3;
  }
}

export function missingToken(): AuthenticationError {
  return new AuthenticationError({
    code: 'MissingAuthenticationTokenException',
    message: 'Missing Authentication Token',
    s3: { code: 'AccessDenied', message: 'Access Denied', statusCode: 403 },
  });
}

/** An Authorization header (or the presigned query that stands in for it) that cannot be read. */
export function malformed(message: string, presigned: boolean): AuthenticationError {
  return badClaim('IncompleteSignatureException', message, presigned);
}

/** S3 alone requires the body's hash, or word that it is not signed, in a header of its own. */
export function missingContentHash(): AuthenticationError {
  const message = 'Missing required header for this request: x-amz-content-sha256';
  return new AuthenticationError({
    code: 'IncompleteSignatureException',
    message,
    s3: { code: 'InvalidRequest', message, statusCode: 400 },
  });
}

export function unknownAccessKey(): AuthenticationError {
  return new AuthenticationError({
    code: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
    s3: {
      code: 'InvalidAccessKeyId',
      message: 'The AWS Access Key Id you provided does not exist in our records.',
      statusCode: 403,
    },
  });
}

export function unknownSessionToken(): AuthenticationError {
  return new AuthenticationError({
    code: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
    s3: {
      code: 'InvalidToken',
      message: 'The provided token is malformed or otherwise invalid.',
      statusCode: 400,
    },
  });
}

export function expiredSessionToken(): AuthenticationError {
  return new AuthenticationError({
    code: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
    s3: { code: 'ExpiredToken', message: 'The provided token has expired.', statusCode: 400 },
  });
}

export function wrongSignature(): AuthenticationError {
  return new AuthenticationError({
    code: 'InvalidSignatureException',
    message:
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    s3: {
      code: 'SignatureDoesNotMatch',
      message:
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      statusCode: 403,
    },
  });
}

/** A credential made for another region, service or day than the request's. */
export function wrongScope(message: string, presigned: boolean): AuthenticationError {
  return badClaim('InvalidSignatureException', message, presigned);
}

/** A header that changes what the request means, sent without being signed. */
export function unsignedHeader(names: readonly string[]): AuthenticationError {
  return new AuthenticationError({
    code: 'InvalidSignatureException',
    message: `${names.map((name) => `'${name}'`).join(', ')} must be a 'SignedHeader' in the AWS Authorization.`,
    s3: {
      code: 'AccessDenied',
      message: `There were headers present in the request which were not signed: ${names.join(', ')}`,
      statusCode: 403,
    },
  });
}

/** A request signed too long ago, or for a time that has not come yet. */
export function clockTooFarOff(message: string): AuthenticationError {
  return new AuthenticationError({
    code: 'InvalidSignatureException',
    message,
    s3: {
      code: 'RequestTimeTooSkewed',
      message: "The difference between the request time and the server's time is too large.",
      statusCode: 403,
    },
  });
}

export function presignedUrlExpired(message: string): AuthenticationError {
  return new AuthenticationError({
    code: 'InvalidSignatureException',
    message,
    s3: { code: 'AccessDenied', message: 'Request has expired', statusCode: 403 },
  });
}

/** A claim to an identity that S3 names after where it stands: in a header, or in a presigned query. */
function badClaim(code: string, message: string, presigned: boolean): AuthenticationError {
  const s3Code = presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  return new AuthenticationError({ code, message, s3: { code: s3Code, message, statusCode: 400 } });
}
