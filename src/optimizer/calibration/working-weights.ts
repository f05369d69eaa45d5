import type {
  InputRounding,
  WeightMatrix,
  WeightSource,
} from '../forward/weights/weight-source.js';

/** The source's weights with some of them replaced: those of the stage that is being worked on. Matrices
 * that were read are kept, since a stage runs several times. */
export class WorkingWeights implements WeightSource {
  readonly #source: WeightSource;
  readonly #matrices = new Map<string, WeightMatrix>();
  readonly #tensors = new Map<string, Float32Array>();

  constructor(source: WeightSource) {
    this.#source = source;
  }

  setMatrix(module: string, matrix: WeightMatrix): void {
    this.#matrices.set(module, matrix);
  }

  setTensor(name: string, values: Float32Array): void {
    this.#tensors.set(name, values);
  }

  has(tensor: string): boolean {
    return this.#source.has(tensor);
  }

  async tensor(name: string): Promise<Float32Array> {
    return this.#tensors.get(name) ?? this.#source.tensor(name);
  }

  async matrix(module: string): Promise<WeightMatrix> {
    const known = this.#matrices.get(module);
    if (known !== undefined) return known;
    const read = await this.#source.matrix(module);
    this.#matrices.set(module, read);
    return read;
  }

  rows(module: string, first: number, count: number): Promise<WeightMatrix> {
    return this.#source.rows(module, first, count);
  }

  async rounding(): Promise<InputRounding | undefined> {
    return undefined;
  }
}
