import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { VocabularyDtype } from '../settings/compilation-definitions.js';
import type { CompilationSettings } from '../settings/compilation-settings.js';
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
  const same = model.head.module === model.embedding.module && isTable(head);
  if (!plain) return same ? head : FLOAT;
  const asked = settings.embeddingDtype;
  return same && asked === 'auto' ? head : vocabularyForm(asked, model, settings);
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

/** Whether rows can be looked up in a weight: its columns are in order. */
function isTable(form: ModuleForm): boolean {
  return form.kind === 'float' || form.order === undefined;
}
