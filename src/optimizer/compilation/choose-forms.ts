import type {
  ForwardModel,
  GatedNetwork,
} from '../../checkpoint/architectures/forward/forward-model.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { TensorFiles } from '../forward/weights/tensor-files.js';
import type { CompiledDtype } from '../settings/compilation-definitions.js';
import type { CompilationSettings } from '../settings/compilation-settings.js';
import { SettingsError } from '../settings/errors.js';
import { embeddingForm, headForm, roundedHere } from './vocabulary-forms.js';
import { keptForm } from './weights/keep-codes.js';
import type { ModuleForm } from './weights/module-form.js';

/** What the weights of a model become. */
export interface ChosenForms {
  readonly dtype: CompiledDtype;
  readonly forms: ReadonlyMap<string, ModuleForm>;
  /** Of the token embeddings. */
  readonly embedding: ModuleForm;
  /** Modules whose codes the checkpoint has. */
  readonly kept: number;
  readonly notes: readonly string[];
}

const FLOAT: ModuleForm = { kind: 'float' };

const BITS: Readonly<Partial<Record<CompiledDtype, 4 | 8>>> = { int8: 8, int4: 4 };

/** Decides for every linear module whether its weight is floats, codes made here, or the checkpoint's own
 * codes. Routers stay floats: rounding them changes which expert answers.
 * @throws SettingsError where the caller asks for something else than the checkpoint's codes,
 * CompilationError for codes that cannot be kept. */
export async function chooseForms(
  model: ForwardModel,
  tensors: ReadonlyMap<string, TensorInfo>,
  files: TensorFiles,
  settings: CompilationSettings,
): Promise<ChosenForms> {
  const modules = linearModules(model);
  const stored = new Map<string, ModuleForm>();
  for (const module of [...modules, model.head.module]) {
    if (isPlain(module, tensors)) continue;
    stored.set(module, await keptForm(files, module));
  }
  const kept = [...stored.values()].filter(({ kind }) => kind === 'codes');
  const plainTable = isPlain(model.embedding.module, tensors);
  if (kept.length > 0) return keepCodes(stored, kept, model, settings, plainTable);
  const dtype = settings.dtype ?? 'fp32';
  const bits = BITS[dtype];
  const forms = new Map<string, ModuleForm>();
  if (bits === undefined) return { dtype, forms, embedding: FLOAT, kept: 0, notes: [] };
  for (const module of modules) forms.set(module, roundedHere(bits, settings));
  const head = headForm(model, settings);
  forms.set(model.head.module, head);
  const embedding = embeddingForm(model, settings, head, plainTable);
  return { dtype, forms, embedding, kept: 0, notes: [] };
}

/** A weight of plain floating-point numbers, as its own tensor says. */
function isPlain(module: string, tensors: ReadonlyMap<string, TensorInfo>): boolean {
  const weight = tensors.get(`${module}.weight`);
  return weight !== undefined && ['F32', 'F16', 'BF16'].includes(weight.dtype);
}

function keepCodes(
  stored: ReadonlyMap<string, ModuleForm>,
  kept: readonly ModuleForm[],
  model: ForwardModel,
  settings: CompilationSettings,
  plainTable: boolean,
): ChosenForms {
  const bits = Math.max(...kept.map((form) => (form.kind === 'codes' ? form.form.bits : 0)));
  const dtype = bits === 4 ? 'int4' : 'int8';
  if (settings.dtype !== undefined && settings.dtype !== dtype) {
    const label = settings.label('dtype');
    throw new SettingsError(
      label,
      `${label} is ${settings.dtype}, but the model is quantized to ${dtype} already, and compilation keeps its codes; leave ${label} out or compile the unquantized model`,
    );
  }
  const forms = new Map(stored);
  const { module } = model.head;
  if (!forms.has(module) && settings.headDtype !== 'auto') {
    forms.set(module, headForm(model, settings));
  }
  const head = forms.get(module) ?? FLOAT;
  const tied = module === model.embedding.module;
  // What the quantization before left alone stays as it is unless the caller says otherwise.
  const embedding =
    settings.embeddingDtype === 'auto' && !(tied && head.kind === 'codes')
      ? FLOAT
      : embeddingForm(model, settings, head, plainTable);
  const floats = [
    ...(head.kind === 'float' && settings.headDtype === 'auto' ? [KEPT_FLOATS.head] : []),
    ...(embedding.kind === 'float' && settings.embeddingDtype === 'auto' && !tied
      ? [KEPT_FLOATS.embedding]
      : []),
  ];
  return { dtype, forms, embedding, kept: kept.length, notes: floats };
}

/** What is said of layers that stay as the quantization before left them. */
const KEPT_FLOATS = {
  head: 'The output layer keeps its floats, as the quantization before left it; OPTION_COMPILE_HEAD_DTYPE=int8 makes it smaller and faster.',
  embedding:
    'The token embeddings keep their floats, as the quantization before left them; OPTION_COMPILE_EMBEDDING_DTYPE=int8 makes them smaller.',
} as const;

/** Every linear module of the blocks but routers and gates. */
function linearModules({ blocks }: ForwardModel): readonly string[] {
  const ofNetwork = ({ inputs, output }: GatedNetwork): readonly string[] => [
    ...inputs.map(({ module }) => module),
    output,
  ];
  return blocks.flatMap(({ attention, feedForward }) => [
    ...attention.inputs.map(({ module }) => module),
    attention.output,
    ...(feedForward.kind === 'feed-forward'
      ? ofNetwork(feedForward)
      : [
          ...feedForward.experts.flatMap(ofNetwork),
          ...(feedForward.shared === undefined ? [] : ofNetwork(feedForward.shared.network)),
        ]),
  ]);
}
