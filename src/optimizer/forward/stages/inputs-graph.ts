import { gramTiles, joinTiles } from '../gram-tiles.js';
import {
  besideInput,
  type CapturePlace,
  type CaptureSpec,
  gramOutput,
  largestOutput,
  magnitudeOutput,
  productOutput,
  shownOutput,
  sumInput,
} from '../graphs/capture.js';
import type { Feed, Numbers, Session } from '../runtime/session.js';
import type { CaptureSink } from './stage-run.js';

/** A place in a graph where inputs are captured: how many there are, and the layers that see them. */
export interface CapturePoint {
  readonly columns: number;
  readonly modules: readonly string[];
}

/** Inputs of linear layers as they are, by place: `[tokens, columns]`, valid until the run after the
 * next. */
export type ShownInputs = Readonly<Partial<Record<CapturePlace, Float32Array>>>;

/** The part of a stage that comes before its last linear layer, its weights at hand. */
export class InputsGraph {
  readonly #session: Session;
  readonly #feeds: Readonly<Record<string, Feed>>;
  readonly #points: Readonly<Record<CapturePlace, CapturePoint>>;
  readonly #spec: CaptureSpec;
  /** What the graph adds to. Each run's sums go where those before it were. */
  readonly #sums: Readonly<Record<string, Numbers>>;
  readonly #before: Readonly<Record<string, Numbers>>;
  readonly #rooms = new Map<string, Float32Array>();
  #runs = 0;
  #tokens = 0;

  constructor(
    session: Session,
    feeds: Readonly<Record<string, Feed>>,
    points: Readonly<Record<CapturePlace, CapturePoint>>,
    spec: CaptureSpec,
  ) {
    this.#session = session;
    this.#feeds = feeds;
    this.#points = points;
    this.#spec = spec;
    const { sums } = spec;
    this.#sums = Object.fromEntries(
      (sums?.places ?? []).flatMap((place) => {
        const { columns } = points[place];
        return [
          ...gramTiles(columns).map(
            (tile) => [gramOutput(place, tile.name), zeros(tile.rows, tile.columns)] as const,
          ),
          ...(sums?.magnitudes
            ? [
                [magnitudeOutput(place), zeros(columns)] as const,
                [largestOutput(place), zeros(columns)] as const,
              ]
            : []),
          ...(sums?.beside ? [[productOutput(place), zeros(columns, columns)] as const] : []),
        ];
      }),
    );
    this.#before = Object.fromEntries(
      Object.entries(this.#sums).map(([output, numbers]) => [sumInput(output), numbers]),
    );
  }

  /** Columns of the last layer's inputs. */
  get columns(): number {
    return this.#points.output.columns;
  }

  /** Runs some tokens through the graph.
   * @param feeds what it takes beside weights.
   * @param beside the original model's inputs for the same tokens, where they are summed up too. */
  async run(
    feeds: Readonly<Record<string, Feed>>,
    tokens: number,
    beside: ShownInputs = {},
  ): Promise<ShownInputs> {
    const shown = this.#spec.shown.map((place) => {
      const { columns } = this.#points[place];
      return { place, values: this.#room(place, tokens * columns), shape: [tokens, columns] };
    });
    await this.#session.run(
      { ...this.#feeds, ...this.#before, ...this.#besideFeeds(beside, tokens), ...feeds },
      {
        ...this.#sums,
        ...Object.fromEntries(
          shown.map(({ place, values, shape }) => [shownOutput(place), { values, shape }]),
        ),
      },
    );
    this.#tokens += tokens;
    this.#runs += 1;
    return Object.fromEntries(shown.map(({ place, values }) => [place, values]));
  }

  /** Tells the sink what all runs left, which ends them. */
  tell(sink: CaptureSink): void {
    for (const place of this.#spec.sums?.places ?? []) {
      const { columns, modules } = this.#points[place];
      const product = this.#sums[productOutput(place)]?.values;
      const magnitude = this.#sums[magnitudeOutput(place)]?.values;
      const largest = this.#sums[largestOutput(place)]?.values;
      sink.add(modules, {
        columns,
        tokens: this.#tokens,
        gram: joinTiles(columns, ({ name }) => this.#valuesOf(gramOutput(place, name))),
        ...(magnitude && { magnitude }),
        ...(largest && { largest }),
        ...(product && { product }),
      });
    }
  }

  #besideFeeds(beside: ShownInputs, tokens: number): Readonly<Record<string, Feed>> {
    const { sums } = this.#spec;
    if (!sums?.beside) return {};
    return Object.fromEntries(
      sums.places.map((place) => {
        const values = beside[place];
        if (values === undefined)
          throw new Error(`the other model's inputs at ${place} are missing`);
        return [besideInput(place), { values, shape: [tokens, this.#points[place].columns] }];
      }),
    );
  }

  /** Room for a place's inputs: runs take turns with two, so that one can still be written away. */
  #room(place: CapturePlace, length: number): Float32Array {
    const key = `${place} ${this.#runs % 2}`;
    let room = this.#rooms.get(key);
    if (room === undefined || room.length < length) {
      room = new Float32Array(length);
      this.#rooms.set(key, room);
    }
    return room.subarray(0, length);
  }

  #valuesOf(output: string): Float32Array {
    const found = this.#sums[output];
    if (found === undefined) throw new Error(`${output} is not an output`);
    return found.values;
  }
}

function zeros(...shape: number[]): Numbers {
  return { values: new Float32Array(shape.reduce((product, size) => product * size, 1)), shape };
}
