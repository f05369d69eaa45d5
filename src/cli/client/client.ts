import type { JsonValue } from '../../service-model/read-value.js';
import type { WireValue } from '../output/wire-value.js';

export interface SendOptions {
  readonly signal?: AbortSignal;
}

/** A connection to the service with everything decided: where, as whom, how patiently. */
export interface Client {
  /**
   * Calls one operation and resolves to the body of its answer as it came over the wire
   * (`printOutput` turns timestamps and members into what the user sees). An empty body is `{}`.
   *
   * @param target an operation of `OPERATIONS` by its name, or anything else by its whole
   * `X-Amz-Target`, for example `Burnish.DescribeOptimizationJobProgress`.
   * @throws ServiceResponseError where the service says no, ConnectionError where it can't be
   * reached, InterruptedError where the signal fires.
   */
  send(target: string, input: JsonValue, options?: SendOptions): Promise<WireValue>;
  /** Lets go of kept-alive connections, so that the process can end. */
  close(): void;
}
