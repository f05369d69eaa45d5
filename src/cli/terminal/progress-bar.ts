import type { OptimizationJobProgress } from '../../service-model/burnish-operations.js';
import { fitToTerminal, terminalWidth } from '../output/text-width.js';
import {
  describeAmounts,
  describePhase,
  describeTimeLeft,
  fractionDone,
} from './describe-progress.js';
import type { Terminal } from './open-output.js';

/** Shows a job's progress: a live bar on a terminal, a line for each change elsewhere. */
export interface ProgressReporter {
  update(progress: OptimizationJobProgress): void;
  /** Takes the bar away and leaves the last state on a line of its own. */
  finish(progress?: OptimizationJobProgress): void;
}

export function createProgressReporter(stream: Terminal = process.stderr): ProgressReporter {
  return stream.isTTY === true ? new LiveBar(stream) : new PlainLines(stream);
}

/** Cells of the bar where the terminal is wide enough. */
const BAR_WIDTH = 24;

const DEFAULT_COLUMNS = 80;

const SPINNER = ['|', '/', '-', '\\'];
const SPINNER_MS = 100;

const CLEAR_LINE = '\r\u001b[2K';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

class LiveBar implements ProgressReporter {
  #progress: OptimizationJobProgress | undefined;
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;

  constructor(private readonly stream: Terminal) {}

  update(progress: OptimizationJobProgress): void {
    this.#progress = progress;
    if (this.#timer === undefined) {
      this.stream.write(HIDE_CURSOR);
      process.once('exit', this.#showCursor);
      this.#timer = setInterval(() => this.#draw(), SPINNER_MS);
      this.#timer.unref();
    }
    this.#draw();
  }

  finish(progress?: OptimizationJobProgress): void {
    if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      process.off('exit', this.#showCursor);
      this.stream.write(CLEAR_LINE);
      this.#showCursor();
    }
    const last = progress ?? this.#progress;
    if (last !== undefined) this.stream.write(`${finalLine(last)}\n`);
  }

  #draw(): void {
    if (this.#progress === undefined) return;
    this.#frame = (this.#frame + 1) % SPINNER.length;
    const columns = this.stream.columns ?? DEFAULT_COLUMNS;
    // One column stays free: a line that fills the terminal would wrap.
    const line = barLine(this.#progress, columns - 1, SPINNER[this.#frame] ?? '');
    this.stream.write(CLEAR_LINE + line);
  }

  readonly #showCursor = (): void => {
    this.stream.write(SHOW_CURSOR);
  };
}

/** The bar and as many of the other facts as fit, the least telling left out first. */
function barLine(progress: OptimizationJobProgress, columns: number, spinner: string): string {
  const fraction = fractionDone(progress);
  const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)}%`;
  const amounts = describeAmounts(progress);
  const facts = [
    `${spinner} ${describePhase(progress)}`,
    percent,
    amounts.tensors,
    describeTimeLeft(progress),
    amounts.rate,
    fraction === undefined ? '' : bar(fraction),
    progress.Layer ?? '',
  ];
  const shown: string[] = [];
  let width = 0;
  for (const [index, fact] of facts.entries()) {
    const added = fact === '' ? 0 : terminalWidth(fact) + (width === 0 ? 0 : 2);
    const fits = width + added <= columns;
    shown[index] = fits ? fact : '';
    if (fits) width += added;
  }
  const [phase = '', share = '', tensors = '', left = '', rate = '', drawn = '', layer = ''] =
    shown;
  const line = [phase, drawn, share, tensors, rate, left, layer]
    .filter((fact) => fact !== '')
    .join('  ');
  return fitToTerminal(line, columns);
}

/** Only ASCII, here as in the spinner: it is as wide in every font and locale. */
function bar(fraction: number): string {
  const full = Math.round(fraction * BAR_WIDTH);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}]`;
}

/** A change that deserves a line where nothing can be drawn over: a tenth of the way. */
const PLAIN_STEP = 0.1;

class PlainLines implements ProgressReporter {
  #phase = '';
  #nextFraction = 0;

  constructor(private readonly stream: Terminal) {}

  update(progress: OptimizationJobProgress): void {
    const phase = describePhase(progress);
    const fraction = fractionDone(progress);
    if (phase !== this.#phase) this.#nextFraction = 0;
    else if (fraction === undefined || fraction < this.#nextFraction) return;
    this.#phase = phase;
    if (fraction !== undefined) {
      this.#nextFraction = (Math.floor(fraction / PLAIN_STEP + 1e-9) + 1) * PLAIN_STEP - 1e-9;
    }
    this.stream.write(`${plainLine(progress)}\n`);
  }

  finish(progress?: OptimizationJobProgress): void {
    if (progress !== undefined) this.stream.write(`${finalLine(progress)}\n`);
  }
}

function plainLine(progress: OptimizationJobProgress): string {
  const fraction = fractionDone(progress);
  const { tensors, rate } = describeAmounts(progress);
  const percent = fraction === undefined ? '' : `${Math.floor(fraction * 100)}%`;
  const facts = [describePhase(progress), percent, tensors, rate, describeTimeLeft(progress)];
  return facts.filter((fact) => fact !== '').join('  ');
}

const finalLine = ({ OptimizationJobName, OptimizationJobStatus }: OptimizationJobProgress) =>
  `${OptimizationJobName}: ${OptimizationJobStatus}`;
