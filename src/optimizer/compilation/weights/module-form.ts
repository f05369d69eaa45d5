import type { CodeForm } from '../../../kernels/index.js';

/** How the weight of one linear module is to be in the graph. */
export type ModuleForm = { readonly kind: 'float' } | CodedForm;

/** A weight as integers with scales. */
export interface CodedForm {
  readonly kind: 'codes';
  readonly form: CodeForm;
  /** Whether the checkpoint has the codes; otherwise its weight is rounded to them. */
  readonly kept: boolean;
  /** The column of the checkpoint's weight that each column of the codes is, where groups are not of
   * neighbours. */
  readonly order: Int32Array | undefined;
}

/** Whether two modules' weights can be rows of one matrix. */
export function sameForm(a: ModuleForm, b: ModuleForm): boolean {
  if (a.kind === 'float' || b.kind === 'float') return a.kind === b.kind;
  return (
    a.kept === b.kept &&
    a.order === undefined &&
    b.order === undefined &&
    a.form.bits === b.form.bits &&
    a.form.blockSize === b.form.blockSize &&
    a.form.zeroPoints === b.form.zeroPoints
  );
}
