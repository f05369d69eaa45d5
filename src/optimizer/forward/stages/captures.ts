import {
  besideInput,
  type CapturePlace,
  type CaptureSpec,
  gramOutput,
  inputsOutput,
  largestOutput,
  magnitudeOutput,
  productOutput,
} from '../graphs/capture.js';
import type { Feed, Numbers } from '../runtime/session.js';
import type { CaptureSink } from './stage-run.js';

/** A place in a graph where inputs are captured: how many there are, and the layers that see them. */
export interface CapturePoint {
  readonly columns: number;
  readonly modules: readonly string[];
}

/** Inputs of linear layers as they are, by place. */
export type CapturedInputs = Readonly<Partial<Record<CapturePlace, Float32Array>>>;

/** The sums that a graph leaves of its runs, allocated once for all of them. */
export class Captures {
  readonly outputs: Readonly<Record<string, Numbers>>;
  readonly #points: Readonly<Record<CapturePlace, CapturePoint>>;
  readonly #spec: CaptureSpec;
  readonly #sink: CaptureSink;

  constructor(
    points: Readonly<Record<CapturePlace, CapturePoint>>,
    spec: CaptureSpec,
    sink: CaptureSink,
  ) {
    this.#points = points;
    this.#spec = spec;
    this.#sink = sink;
    this.outputs = Object.fromEntries(
      spec.places.flatMap((place) => {
        const { columns } = points[place];
        return [
          [gramOutput(place), zeros(columns, columns)],
          [magnitudeOutput(place), zeros(columns)],
          [largestOutput(place), zeros(columns)],
          ...(spec.kind === 'sums-beside'
            ? [[productOutput(place), zeros(columns, columns)] as const]
            : []),
        ];
      }),
    );
  }

  /** What the graph is to be given of the other model's inputs. */
  beside(inputs: CapturedInputs | undefined, tokens: number): Readonly<Record<string, Feed>> {
    if (this.#spec.kind !== 'sums-beside') return {};
    return Object.fromEntries(
      this.#spec.places.map((place) => {
        const values = inputs?.[place];
        if (values === undefined)
          throw new Error(`the other model's inputs at ${place} are missing`);
        return [besideInput(place), { values, shape: [tokens, this.#points[place].columns] }];
      }),
    );
  }

  /** Tells the sink what a run left in the outputs. */
  tell(tokens: number): void {
    for (const place of this.#spec.places) {
      this.#sink.add(
        this.#points[place].modules,
        tokens,
        this.#values(gramOutput(place)),
        this.#values(magnitudeOutput(place)),
        this.#values(largestOutput(place)),
        this.outputs[productOutput(place)]?.values,
      );
    }
  }

  #values(output: string): Float32Array {
    const found = this.outputs[output];
    if (found === undefined) throw new Error(`${output} is not an output`);
    return found.values;
  }
}

/** Names of the outputs that tell the inputs themselves. */
export function inputsWanted({ kind, places }: CaptureSpec): readonly string[] {
  return kind === 'inputs' ? places.map(inputsOutput) : [];
}

/** The inputs themselves among a run's results. */
export function inputsAmong(
  results: Readonly<Record<string, Float32Array>>,
  { kind, places }: CaptureSpec,
): CapturedInputs {
  if (kind !== 'inputs') return {};
  return Object.fromEntries(places.map((place) => [place, results[inputsOutput(place)]]));
}

function zeros(...shape: number[]): Numbers {
  return { values: new Float32Array(shape.reduce((product, size) => product * size, 1)), shape };
}
