import { blocksOf, type CodeForm } from '../../../kernels/index.js';
import type { TensorFiles } from '../../forward/weights/tensor-files.js';
import { CompilationError } from '../errors.js';
import type { CodeSource, CodeSources } from './code-source.js';
import type { ModuleForm } from './module-form.js';
import { CodePacker } from './pack-codes.js';
import { hasZeroPoints, readStoredCodes, type StoredCodes } from './stored-codes.js';

/** Largest block that one scale a row is repeated for, and the smallest that MatMulNBits takes. */
const LARGEST_BLOCK = 128;
const LEAST_BLOCK = 16;

/** The form in which a module's stored codes are kept; plain numbers where it has none.
 * @throws CompilationError for codes that MatMulNBits cannot hold. */
export async function keptForm(files: TensorFiles, module: string): Promise<ModuleForm> {
  const stored = await readStoredCodes(files, module);
  if (stored === undefined) return { kind: 'float' };
  const { bits, columns, groups } = stored;
  const groupSize = columns / groups;
  const blockSize = groups === 1 ? blockOfWholeRow(columns) : groupSize;
  if (!Number.isInteger(Math.log2(blockSize)) || blockSize < LEAST_BLOCK) {
    throw new CompilationError(
      `${module} has groups of ${groupSize} columns; ONNX Runtime takes powers of two from ${LEAST_BLOCK} on`,
    );
  }
  if (stored.zeroPoints.some((zeroPoint) => zeroPoint >= 2 ** bits)) {
    throw new CompilationError(`${module} has a zero point outside the range of its codes`);
  }
  const form: CodeForm = { bits, blockSize, zeroPoints: hasZeroPoints(stored) };
  return { kind: 'codes', form, kept: true, order: columnOrder(stored, module) };
}

/** The largest block that divides a row of one scale. */
function blockOfWholeRow(columns: number): number {
  for (let size = LARGEST_BLOCK; size > LEAST_BLOCK; size /= 2) {
    if (columns % size === 0) return size;
  }
  return LEAST_BLOCK;
}

/** Columns group by group, where they do not lie so. */
function columnOrder(
  { groupOf, columns, groups }: StoredCodes,
  module: string,
): Int32Array | undefined {
  if (groupOf === undefined) return undefined;
  const size = columns / groups;
  if (groupOf.every((group, column) => group === Math.floor(column / size))) return undefined;
  const members = Array.from({ length: groups }, (): number[] => []);
  for (const [column, group] of groupOf.entries()) members[group]?.push(column);
  if (members.some(({ length }) => length !== size)) {
    throw new CompilationError(`${module} has groups of different sizes`);
  }
  return Int32Array.from(members.flat());
}

/** The codes of a checkpoint's modules, repacked. The tensors of one module are in memory at a time. */
export class KeptCodes implements CodeSources {
  readonly #files: TensorFiles;

  constructor(files: TensorFiles) {
    this.#files = files;
  }

  async open(module: string): Promise<CodeSource> {
    const stored = await readStoredCodes(this.#files, module);
    if (stored === undefined) throw new Error(`${module} has no codes`);
    const order = columnOrder(stored, module);
    return { rows: (first, count, form) => repack(stored, order, first, count, form) };
  }
}

function repack(
  stored: StoredCodes,
  order: Int32Array | undefined,
  first: number,
  count: number,
  form: CodeForm,
): ReturnType<CodeSource['rows']> {
  const { columns, groups } = stored;
  const blocks = blocksOf(form, columns);
  const packer = new CodePacker(count, columns, form);
  const scales = new Float32Array(count * blocks);
  const inRow = new Uint8Array(columns);
  for (let row = 0; row < count; row += 1) {
    stored.readRow(first + row, inRow);
    packer.row(row, order === undefined ? inRow : inRow.map((_, at) => inRow[order[at] ?? 0] ?? 0));
    for (let block = 0; block < blocks; block += 1) {
      // A scale for a whole row is repeated for each of its blocks.
      const from = (first + row) * groups + (groups === 1 ? 0 : block);
      scales[row * blocks + block] = stored.scales[from] ?? Number.NaN;
      packer.zeroPoint(row, block, stored.zeroPoints[from] ?? 0);
    }
  }
  return { codes: packer.codes, scales, zeroPoints: packer.zeroPoints };
}
