import type { InputProjection } from '../../../checkpoint/architectures/forward/forward-model.js';
import { biasInput, type LinearSpec, scaleInput, weightInput } from '../graphs/linear.js';
import type { ProjectionSpec } from '../graphs/project.js';
import type { Feed } from '../runtime/session.js';
import type { WeightSource } from '../weights/weight-source.js';

/** Gathers the weights that a stage's graph takes, and describes its layers. */
export class StageWeights {
  readonly feeds: Record<string, Feed> = {};
  readonly #source: WeightSource;
  readonly #addOne: boolean;

  /** @param addOne whether norms multiply by `1 + weight`. */
  constructor(source: WeightSource, addOne: boolean) {
    this.#source = source;
    this.#addOne = addOne;
  }

  async norm(role: string, module: string): Promise<void> {
    const stored = await this.#source.tensor(`${module}.weight`);
    const values = this.#addOne ? stored.map((weight) => 1 + weight) : stored;
    this.feeds[weightInput(role)] = { values, shape: [values.length] };
  }

  async linear(role: string, module: string): Promise<LinearSpec> {
    const { rows, columns, values } = await this.#source.matrix(module);
    this.feeds[weightInput(role)] = { values, shape: [rows, columns] };
    const bias = `${module}.bias`;
    const hasBias = this.#source.has(bias);
    if (hasBias) {
      const added = await this.#source.tensor(bias);
      this.feeds[biasInput(role)] = { values: added, shape: [added.length] };
    }
    const rounding = await this.#source.rounding(module);
    if (rounding?.scale !== undefined) {
      this.feeds[scaleInput(role)] = { values: Float32Array.of(rounding.scale), shape: [1] };
    }
    return { role, rows, columns, bias: hasBias, rounding: rounding?.kind };
  }

  async projections<Output extends string>(
    inputs: readonly InputProjection<Output>[],
  ): Promise<readonly ProjectionSpec<Output>[]> {
    const specs: ProjectionSpec<Output>[] = [];
    for (const [index, { module, outputs }] of inputs.entries()) {
      specs.push({ ...(await this.linear(`input${index}`, module)), outputs });
    }
    return specs;
  }
}
