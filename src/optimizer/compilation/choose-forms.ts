import type {
  ForwardModel,
  GatedNetwork,
} from '../../checkpoint/architectures/forward/forward-model.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { TensorFiles } from '../forward/weights/tensor-files.js';
import type { CompiledDtype, HeadDtype } from '../settings/compilation-definitions.js';
import type { CompilationSettings } from '../settings/compilation-settings.js';
import { SettingsError } from '../settings/errors.js';
import { keptForm } from './weights/keep-codes.js';
import type { ModuleForm } from './weights/module-form.js';

/** What the weights of a model become. */
export interface ChosenForms {
  readonly dtype: CompiledDtype;
  readonly forms: ReadonlyMap<string, ModuleForm>;
  /** Modules whose codes the checkpoint has. */
  readonly kept: number;
  readonly notes: readonly string[];
}

const FLOAT: ModuleForm = { kind: 'float' };

const BITS: Readonly<Partial<Record<CompiledDtype | HeadDtype, 4 | 8>>> = { int8: 8, int4: 4 };

/** Weights of an int8 output layer that share a scale: eight bits lose nothing by more of them, and are
 * multiplied faster. */
const HEAD_BLOCK = 128;

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
  if (kept.length > 0) return keepCodes(stored, kept, model, settings);
  const dtype = settings.dtype ?? 'fp32';
  const bits = BITS[dtype];
  const forms = new Map<string, ModuleForm>();
  if (bits !== undefined) {
    for (const module of modules) forms.set(module, roundedHere(bits, settings));
    forms.set(model.head.module, headForm(settings));
  }
  return { dtype, forms, kept: 0, notes: [] };
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
    forms.set(module, headForm(settings));
  }
  return {
    dtype,
    forms,
    kept: kept.length,
    notes:
      forms.has(module) || settings.headDtype !== 'auto'
        ? []
        : [
            'The output layer keeps its floats, as the quantization before left it; OPTION_COMPILE_HEAD_DTYPE=int8 makes it smaller and faster.',
          ],
  };
}

/** The output layer: int8 unless asked otherwise, since four bits there cost more than in all the blocks
 * together. */
function headForm(settings: CompilationSettings): ModuleForm {
  const bits = settings.headDtype === 'auto' ? 8 : BITS[settings.headDtype];
  if (bits === undefined) return FLOAT;
  const own = roundedHere(bits, settings);
  if (bits === 4 || own.kind === 'float') return own;
  return { ...own, form: { ...own.form, blockSize: HEAD_BLOCK, zeroPoints: false } };
}

function roundedHere(bits: 4 | 8, { blockSize, zeroPoint }: CompilationSettings): ModuleForm {
  return {
    kind: 'codes',
    form: { bits, blockSize, zeroPoints: zeroPoint },
    kept: false,
    order: undefined,
  };
}

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
