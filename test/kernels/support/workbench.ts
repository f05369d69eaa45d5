import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodedLayout,
  type FloatType,
  type KernelOptions,
  type KernelPool,
  type QuantizationError,
  type QuantizeRowsTask,
  type WeightScheme,
} from '#burnish/kernels/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** A weight in memory, and how it is to be encoded. */
export interface WeightCase {
  readonly source: Uint8Array;
  readonly sourceType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly scheme: WeightScheme;
  readonly scaleType: FloatType;
}

export interface Encoded {
  readonly error: QuantizationError;
  readonly codes: Uint8Array;
  readonly scales: Uint8Array;
  readonly zeroPoints: Uint8Array | undefined;
  /** Whether all bytes around and between the outputs are as they were. */
  readonly restUntouched: boolean;
}

/** What files are filled with before the kernels write to them. */
const FILLER = 0xa5;
/** Bytes around each range; odd, so that nothing is aligned. */
const GAP = 37;

/** A folder for one test file's files. */
export class Workbench {
  readonly folder = temporaryFolder('kernels');

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Puts a case's source and room for its outputs into two files, away from their beginnings. */
  place(weight: WeightCase): QuantizeRowsTask {
    const { source, sourceType, rows, columns, scheme, scaleType } = weight;
    const layout = encodedLayout(scheme, rows, columns, scaleType);
    const sourcePath = this.path('source');
    const targetPath = this.path('target');
    writeFileSync(sourcePath, Buffer.concat([Buffer.alloc(GAP, FILLER), source]));
    let end = GAP;
    const range = (length: number) => {
      const offset = end;
      end += length + GAP;
      return { path: targetPath, offset, length };
    };
    const codes = range(layout.codes.bytes);
    const scales = range(layout.scales.bytes);
    const zeroPoints = layout.zeroPoints && range(layout.zeroPoints.bytes);
    writeFileSync(targetPath, Buffer.alloc(end, FILLER));
    return {
      ...{ name: 'layer.weight', sourceType, rows, columns, scheme, scaleType, codes, scales },
      source: { path: sourcePath, offset: GAP, length: source.byteLength },
      ...(zeroPoints && { zeroPoints }),
    };
  }

  /** Encodes a case and reads back what was written. */
  async quantize(
    pool: KernelPool,
    weight: WeightCase,
    options: KernelOptions = {},
  ): Promise<Encoded> {
    const task = this.place(weight);
    const error = await pool.quantizeRows(task, options);
    const written = new Uint8Array(readFileSync(task.codes.path));
    const outputs = [task.codes, task.scales, ...(task.zeroPoints ? [task.zeroPoints] : [])];
    const [codes, scales, zeroPoints] = outputs.map(({ offset, length }) =>
      written.slice(offset, offset + length),
    );
    for (const { offset, length } of outputs) written.fill(FILLER, offset, offset + length);
    const restUntouched = written.every((byte) => byte === FILLER);
    if (codes === undefined || scales === undefined) throw new Error('no outputs');
    return { error, codes, scales, zeroPoints, restUntouched };
  }
}
