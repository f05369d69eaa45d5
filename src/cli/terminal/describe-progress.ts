/** A job's progress in words. */
import type { OptimizationJobProgress } from '../../service-model/burnish-operations.js';

/** Between 0 and 1, by bytes where they are known, or else by tensors; undefined where neither is. */
export function fractionDone(progress: OptimizationJobProgress): number | undefined {
  const { BytesDone, BytesTotal, TensorsDone, TensorsTotal } = progress;
  const [done, total] =
    BytesDone !== undefined && BytesTotal ? [BytesDone, BytesTotal] : [TensorsDone, TensorsTotal];
  if (done === undefined || total === undefined || total <= 0) return undefined;
  return Math.min(1, Math.max(0, done / total));
}

/** `INPROGRESS quantizing (step 1 of 2)` */
export function describePhase(progress: OptimizationJobProgress): string {
  const { OptimizationJobStatus: status, Phase, Step, Steps } = progress;
  const phase = Phase === undefined ? status : `${status} ${Phase}`;
  return Step === undefined || Steps < 2 ? phase : `${phase} (step ${Step} of ${Steps})`;
}

/** Each is empty where it is not known. */
export function describeAmounts(progress: OptimizationJobProgress): {
  readonly tensors: string;
  readonly rate: string;
} {
  const { TensorsDone, TensorsTotal, BytesPerSecond } = progress;
  return {
    tensors:
      TensorsDone === undefined || TensorsTotal === undefined
        ? ''
        : `${TensorsDone}/${TensorsTotal} tensors`,
    rate: BytesPerSecond === undefined ? '' : `${describeBytes(BytesPerSecond)}/s`,
  };
}

/** `1m 05s left`, from the bytes that remain and their rate. */
export function describeTimeLeft(progress: OptimizationJobProgress): string {
  const { BytesDone, BytesTotal, BytesPerSecond } = progress;
  if (BytesDone === undefined || BytesTotal === undefined || !BytesPerSecond) return '';
  const seconds = Math.ceil(Math.max(0, BytesTotal - BytesDone) / BytesPerSecond);
  return Number.isFinite(seconds) ? `${describeDuration(seconds)} left` : '';
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes in decimal units with two or three digits, for example `1.5 GB`. */
export function describeBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Whole seconds as `2h 05m`, `3m 20s` or `7s`. */
export function describeDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  const two = (number: number) => String(number).padStart(2, '0');
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(rest)}s` : `${rest}s`;
}
