import type { DeploymentInstance } from '../contract.js';
import type { CompilationStepReport } from '../report/compilation-types.js';
import { describeStep, type StepCourse } from '../report/describe-step.js';
import type { FileReport } from '../report/types.js';
import { memoryOf } from './memory.js';
import { isRewritten, type PreparedCompilation, type PreparedGraph } from './prepare.js';
import type { ModuleForm } from './weights/module-form.js';

/** What a step did, to be told. */
export interface CompilationFacts extends PreparedCompilation, Omit<StepCourse, 'settings'> {
  readonly deployment: DeploymentInstance | undefined;
  readonly files: readonly FileReport[];
  readonly measured: CompilationStepReport['measured'];
}

function formName(form: ModuleForm, { options }: PreparedGraph): string {
  if (form.kind === 'codes') return `int${form.form.bits}`;
  return options.element === 'float16' ? 'fp16' : 'fp32';
}

/** The report of a compilation: the graph, its sizes, and what was measured. */
export function buildCompilationReport(facts: CompilationFacts): CompilationStepReport {
  const { checkpoint, settings, model, chosen, graph, positions } = facts;
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const before = sum([...checkpoint.tensors.values()].map(({ length }) => length));
  const written = facts.files.find(({ name }) => name === graph.files.weights);
  const after = written?.bytes ?? graph.weightBytes;
  return {
    technique: 'compilation',
    ...describeStep(facts),
    model: { type: checkpoint.config.modelType, architecture: model.architecture },
    graph: {
      file: graph.files.graph,
      weights: graph.files.weights,
      dtype: chosen.dtype,
      embeddings: formName(chosen.embedding, graph),
      outputLayer: formName(graph.options.formOf(model.head.module), graph),
      nodes: graph.nodes,
      keptLayers: chosen.kept,
      optimizedForThisMachine: isRewritten(settings),
    },
    memory: memoryOf(
      model,
      graph.options.element,
      after,
      { positions, batch: settings.batch },
      facts.deployment,
    ),
    measured: facts.measured,
    totals: {
      weightBytesBefore: before,
      weightBytesAfter: after,
      folderBytesBefore: sum(checkpoint.files.map(({ size }) => size)),
      folderBytesAfter: sum(facts.files.map(({ bytes }) => bytes)),
    },
  };
}
