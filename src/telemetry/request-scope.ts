import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string>();

/** Does something on behalf of a request: whatever is logged meanwhile, however deep, carries its ID. */
export function onBehalfOf<Result>(requestId: string | undefined, act: () => Result): Result {
  return requestId === undefined ? scope.exit(act) : scope.run(requestId, act);
}

/** Does something that a request may have set off but that is not for it alone. */
export function onNobodysBehalf<Result>(act: () => Result): Result {
  return scope.exit(act);
}

/** The ID of the request that is being answered, or that created the job that is being run. */
export function currentRequestId(): string | undefined {
  return scope.getStore();
}
