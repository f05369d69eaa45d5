import { appendFileSync } from 'node:fs';

export type Phase =
  | 'reading'
  | 'checking'
  | 'quantizing'
  | 'sharding'
  | 'compiling'
  | 'optimizing'
  | 'measuring'
  | 'copying'
  | 'saving'
  | 'verifying'
  | 'evaluating'
  | 'reporting';

/** One line of the progress file. */
export interface ProgressEvent {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly phase: Phase;
  readonly tensorsDone: number;
  readonly tensorsTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** The layer finished last. */
  readonly layer?: string;
  /** Over the phase so far. */
  readonly bytesPerSecond?: number;
}

/** A reader looks a few times a second at most. */
const MIN_INTERVAL_MS = 250;

/** Tells how far a step has come, and how long each phase took. */
export class Progress {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #seconds = new Map<Phase, number>();
  readonly #bytes = new Map<Phase, number>();
  #phase: Phase = 'reading';
  #started: number;
  #lastEvent = Number.NEGATIVE_INFINITY;
  #done = { tensors: 0, bytes: 0 };
  /** Bytes done before the time since `#started`. */
  #bytesBefore = 0;
  #total = { tensors: 0, bytes: 0 };

  /** @param now milliseconds of a clock that never goes back. */
  constructor(write: (line: string) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
    this.#started = now();
  }

  /** Appends to a file, or tells nobody where there is none. */
  static toFile(path: string | undefined): Progress {
    return new Progress(path === undefined ? () => {} : (line) => appendFileSync(path, line));
  }

  begin(phase: Phase, total: { readonly tensors: number; readonly bytes: number }): void {
    this.#closePhase();
    this.#phase = phase;
    this.#done = { tensors: 0, bytes: 0 };
    this.#bytesBefore = 0;
    this.#total = { ...total };
    this.#emit(undefined);
  }

  advance(tensors: number, bytes: number, layer?: string): void {
    this.#done.tensors += tensors;
    this.#done.bytes += bytes;
    const finished = this.#done.tensors === this.#total.tensors;
    if (finished || this.#now() - this.#lastEvent >= MIN_INTERVAL_MS) this.#emit(layer);
  }

  /** Counts what was finished before the phase began, and has no part in its speed. */
  skip(tensors: number, bytes: number): void {
    this.#done.tensors += tensors;
    this.#done.bytes += bytes;
    this.#bytesBefore += bytes;
    this.#emit(undefined);
  }

  /** Bytes a second that a phase was advanced by, as far as it is over; 0 where there was none. */
  speedOf(phase: Phase): number {
    const seconds = this.#seconds.get(phase) ?? 0;
    return seconds === 0 ? 0 : Math.round((this.#bytes.get(phase) ?? 0) / seconds);
  }

  /** Seconds spent in each phase, the current one up to now. */
  seconds(): Readonly<Record<string, number>> {
    this.#closePhase();
    return Object.fromEntries(this.#seconds);
  }

  #closePhase(): void {
    const now = this.#now();
    const spent = (now - this.#started) / 1000;
    this.#seconds.set(this.#phase, (this.#seconds.get(this.#phase) ?? 0) + spent);
    this.#bytes.set(this.#phase, (this.#bytes.get(this.#phase) ?? 0) + this.#worked());
    this.#bytesBefore = this.#done.bytes;
    this.#started = now;
  }

  #worked(): number {
    return this.#done.bytes - this.#bytesBefore;
  }

  #emit(layer: string | undefined): void {
    const now = this.#now();
    this.#lastEvent = now;
    const seconds = (now - this.#started) / 1000;
    const event: ProgressEvent = {
      time: new Date().toISOString(),
      phase: this.#phase,
      tensorsDone: this.#done.tensors,
      tensorsTotal: this.#total.tensors,
      bytesDone: this.#done.bytes,
      bytesTotal: this.#total.bytes,
      ...(layer === undefined ? {} : { layer }),
      ...(seconds > 0 && this.#worked() > 0
        ? { bytesPerSecond: Math.round(this.#worked() / seconds) }
        : {}),
    };
    this.#write(`${JSON.stringify(event)}\n`);
  }
}
