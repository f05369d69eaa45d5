import { CheckpointError } from '../checkpoint/errors.js';
import { KernelFileError, KernelTaskError, NonFiniteWeightError } from '../kernels/index.js';
import { CompilationError } from './compilation/errors.js';
import { ContractError } from './contract.js';
import { EvaluationError } from './evaluation/evaluate.js';
import { FormatError } from './formats/packed-tensors.js';
import { ExecutionProviderError } from './forward/runtime/session.js';
import { MemoryError } from './memory.js';
import { OutputError } from './output/folder.js';
import { printable } from './printable.js';
import { VerificationError } from './quantization/verify.js';
import { ResumeError } from './resuming/finished-work.js';
import { SettingsError } from './settings/errors.js';
import { TechniqueError } from './techniques/errors.js';
import { TextError } from './texts/errors.js';

/** Failures whose message is written for whoever started the job. */
const EXPLAINED = [
  CheckpointError,
  CompilationError,
  ContractError,
  EvaluationError,
  ExecutionProviderError,
  FormatError,
  KernelFileError,
  KernelTaskError,
  NonFiniteWeightError,
  MemoryError,
  OutputError,
  ResumeError,
  SettingsError,
  TechniqueError,
  TextError,
  VerificationError,
] as const;

/** What to tell about a failure. One that this program did not foresee comes with where it happened. */
export function describeFailure(error: unknown): {
  readonly message: string;
  readonly detail: string | undefined;
} {
  if (!(error instanceof Error)) return { message: printable(String(error)), detail: undefined };
  const foreseen = EXPLAINED.some((type) => error instanceof type) || 'code' in error;
  return foreseen
    ? { message: printable(error.message), detail: undefined }
    : { message: printable(`unexpected: ${error.message}`), detail: error.stack };
}
