import { gramOutput, largestOutput, magnitudeOutput } from '../graphs/capture.js';
import type { Numbers } from '../runtime/session.js';
import type { CaptureSink } from './stage-run.js';

/** A place in a graph where inputs are captured, and the layers that see them. */
export interface CapturePoint {
  readonly name: string;
  readonly columns: number;
  readonly modules: readonly string[];
}

/** The outputs of a graph's capture points, allocated once for all its runs. */
export class Captures {
  readonly outputs: Readonly<Record<string, Numbers>>;
  readonly #points: readonly CapturePoint[];
  readonly #sink: CaptureSink;

  constructor(points: readonly CapturePoint[], sink: CaptureSink) {
    this.#points = points;
    this.#sink = sink;
    this.outputs = Object.fromEntries(
      points.flatMap(({ name, columns }) => [
        [gramOutput(name), zeros(columns, columns)],
        [magnitudeOutput(name), zeros(columns)],
        [largestOutput(name), zeros(columns)],
      ]),
    );
  }

  /** Tells the sink what a run left in the outputs. */
  tell(tokens: number): void {
    for (const { name, modules } of this.#points) {
      this.#sink.add(
        modules,
        tokens,
        this.#values(gramOutput(name)),
        this.#values(magnitudeOutput(name)),
        this.#values(largestOutput(name)),
      );
    }
  }

  #values(output: string): Float32Array {
    const found = this.outputs[output];
    if (found === undefined) throw new Error(`${output} is not an output`);
    return found.values;
  }
}

function zeros(...shape: number[]): Numbers {
  return { values: new Float32Array(shape.reduce((product, size) => product * size, 1)), shape };
}
