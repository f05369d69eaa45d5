import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { VocabularyDtype } from '../settings/compilation-definitions.js';
import type { CompilationSettings } from '../settings/compilation-settings.js';
import { blocksOf, type CodeForm } from './weights/code-form.js';
import type { ModuleForm } from './weights/module-form.js';

const FLOAT: ModuleForm = { kind: 'float' };

const BITS: Readonly<Record<Exclude<VocabularyDtype, 'auto' | 'float'>, 4 | 8>> = {
  int8: 8,
  int4: 4,
};

/** Weights of eight bits that may share a scale: they lose nothing by more of them, and are multiplied
 * faster. The most that divide a row are taken, since the last block of a row is stored whole; the last of
 * these where none does. */
const BLOCKS_OF_BYTES = [128, 64, 32] as const;

/** A weight of plain numbers rounded to codes of so many bits. */
export function roundedHere(
  bits: 4 | 8,
  { blockSize, zeroPoint }: CompilationSettings,
): ModuleForm & { readonly kind: 'codes' } {
  const form = { bits, blockSize, zeroPoints: zeroPoint };
  return { kind: 'codes', form, kept: false, order: undefined };
}

/** The output layer: int8 unless asked otherwise, since four bits there cost more than in all the blocks
 * together. */
export function headForm(model: ForwardModel, settings: CompilationSettings): ModuleForm {
  return vocabularyForm(settings.headDtype, model, settings);
}

/** The token embeddings beside an output layer of the given form: the output layer's own codes where the model
 * ties the two and both are to be alike.
 * @param plain whether the checkpoint has them as plain numbers. */
export function embeddingForm(
  model: ForwardModel,
  settings: CompilationSettings,
  head: ModuleForm,
  plain: boolean,
): ModuleForm {
  const tied = model.head.module === model.embedding.module;
  const asked = settings.embeddingDtype;
  if (!plain) return tied && isTable(head, model) ? head : FLOAT;
  if (tied && asked === 'auto')
    return isTable(head, model) ? head : tableForm(asked, model, settings);
  return tableForm(asked, model, settings);
}

function tableForm(
  dtype: VocabularyDtype,
  model: ForwardModel,
  settings: CompilationSettings,
): ModuleForm {
  const form = vocabularyForm(dtype, model, settings);
  if (form.kind === 'float' || isTable(form, model)) return form;
  return { ...form, form: { ...form.form, zeroPoints: false } };
}

function vocabularyForm(
  dtype: VocabularyDtype,
  { hiddenSize }: ForwardModel,
  settings: CompilationSettings,
): ModuleForm {
  if (dtype === 'float') return FLOAT;
  const bits = dtype === 'auto' ? 8 : BITS[dtype];
  const own = roundedHere(bits, settings);
  if (bits === 4) return own;
  const blockSize = BLOCKS_OF_BYTES.find((size) => hiddenSize % size === 0) ?? 32;
  return { ...own, form: { bits, blockSize, zeroPoints: false } };
}

/** Whether rows can be looked up in a weight: with floats, and with codes whose columns are in order. Earlier
 * versions of GatherBlockQuantized lose count of zero points of four bits where a row has an odd number. */
function isTable(form: ModuleForm, { hiddenSize }: ForwardModel): boolean {
  if (form.kind === 'float') return true;
  return form.order === undefined && !hasHalfByte(form.form, hiddenSize);
}

function hasHalfByte(form: CodeForm, columns: number): boolean {
  return form.zeroPoints && form.bits === 4 && blocksOf(form, columns) % 2 === 1;
}
