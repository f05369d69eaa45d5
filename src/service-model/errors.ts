/** What the API answers when it says no. */

export type ServiceErrorCode =
  | 'AccessDeniedException'
  | 'InternalFailure'
  | 'RequestEntityTooLargeException'
  | 'ResourceInUse'
  | 'ResourceLimitExceeded'
  | 'ResourceNotFound'
  | 'ResourceNotFoundException'
  | 'SerializationException'
  | 'ServiceUnavailable'
  | 'ThrottlingException'
  | 'UnknownOperationException'
  | 'ValidationException';

const HTTP_STATUS: Partial<Record<ServiceErrorCode, number>> = {
  InternalFailure: 500,
  RequestEntityTooLargeException: 413,
  ServiceUnavailable: 503,
};

/** SageMaker's modelled exceptions spell their text `Message`; the common ones say `message`. */
const MODELLED: ReadonlySet<ServiceErrorCode> = new Set([
  'ResourceInUse',
  'ResourceLimitExceeded',
  'ResourceNotFound',
]);

/** An error that a client of the API sees, with AWS's code and wording. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly httpStatus: number;

  constructor(
    readonly code: ServiceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.httpStatus = HTTP_STATUS[code] ?? 400;
  }

  /** The JSON body of the answer, as AWS JSON 1.1 spells it. */
  toBody(): Readonly<Record<string, string>> {
    return {
      __type: this.code,
      [MODELLED.has(this.code) ? 'Message' : 'message']: this.message,
    };
  }
}

/** A rule between fields was broken; the sentence names the fields and what to do. */
export const validationError = (message: string, options?: ErrorOptions): ServiceError =>
  new ServiceError('ValidationException', message, options);
