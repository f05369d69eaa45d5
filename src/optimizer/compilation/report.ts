import type { DeploymentInstance } from '../contract.js';
import type { CompilationStepReport } from '../report/compilation-types.js';
import type { FileReport } from '../report/types.js';
import { describeVersions } from '../report/versions.js';
import { memoryOf } from './memory.js';
import { isRewritten, type PreparedCompilation, type PreparedGraph } from './prepare.js';
import type { ModuleForm } from './weights/module-form.js';

/** What a step did, to be told. */
export interface CompilationFacts extends PreparedCompilation {
  readonly startedAt: Date;
  readonly deployment: DeploymentInstance | undefined;
  readonly files: readonly FileReport[];
  readonly measured: CompilationStepReport['measured'];
  readonly secondsByPhase: Readonly<Record<string, number>>;
  /** Of the compiling phase, in bytes of the result. */
  readonly bytesPerSecond: number;
}

function formName(form: ModuleForm, { options }: PreparedGraph): string {
  if (form.kind === 'codes') return `int${form.form.bits}`;
  return options.element === 'float16' ? 'fp16' : 'fp32';
}

export function buildCompilationReport(facts: CompilationFacts): CompilationStepReport {
  const { checkpoint, settings, model, chosen, graph, positions, secondsByPhase } = facts;
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const before = sum([...checkpoint.tensors.values()].map(({ length }) => length));
  const endedAt = new Date();
  const written = facts.files.find(({ name }) => name === graph.files.weights);
  const after = written?.bytes ?? graph.weightBytes;
  return {
    technique: 'compilation',
    startedAt: facts.startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    settings: settings.effective,
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
    notes: facts.notes,
    performance: {
      seconds: (endedAt.getTime() - facts.startedAt.getTime()) / 1000,
      secondsByPhase,
      bytesPerSecond: facts.bytesPerSecond,
      // Node gives it in kilobytes.
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    },
    versions: describeVersions(),
  };
}
