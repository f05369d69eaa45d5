import { KernelFileError, KernelTaskError, NonFiniteWeightError } from './errors.js';

/** The errors of this room as data: an error's class and fields are lost between threads. */
type Failure =
  | {
      readonly name: 'NonFiniteWeightError';
      readonly fields: ConstructorParameters<typeof NonFiniteWeightError>;
    }
  | {
      readonly name: 'KernelTaskError';
      readonly fields: ConstructorParameters<typeof KernelTaskError>;
    }
  | {
      readonly name: 'KernelFileError';
      readonly fields: ConstructorParameters<typeof KernelFileError>;
    };

/** What a worker answers. */
export type Outcome<Result> = { readonly result: Result } | { readonly failure: Failure };

/** Runs `work` and turns one of this room's errors into data; others are thrown on. */
export function captureOutcome<Result>(work: () => Result): Outcome<Result> {
  try {
    return { result: work() };
  } catch (error) {
    if (error instanceof NonFiniteWeightError) {
      const fields = [error.tensor, error.row, error.column, error.value] as const;
      return { failure: { name: error.name, fields: [...fields] } };
    }
    if (error instanceof KernelTaskError) {
      return { failure: { name: error.name, fields: [error.tensor, error.problem] } };
    }
    if (error instanceof KernelFileError) {
      return { failure: { name: error.name, fields: [error.path, error.code, error.message] } };
    }
    throw error;
  }
}

/** The worker's result; throws the error that it met. */
export function releaseOutcome<Result>(outcome: Outcome<Result>): Result {
  if ('result' in outcome) return outcome.result;
  const { failure } = outcome;
  switch (failure.name) {
    case 'NonFiniteWeightError':
      throw new NonFiniteWeightError(...failure.fields);
    case 'KernelTaskError':
      throw new KernelTaskError(...failure.fields);
    case 'KernelFileError':
      throw new KernelFileError(...failure.fields);
  }
}
