import { parseQuantizationSettings } from '../../optimizer/settings/quantization-settings.js';
import { validationError } from '../../service-model/errors.js';
import { acceleratorsOf, type DeploymentInstanceType } from '../../service-model/instance-types.js';
import type { Step } from '../../service-model/techniques.js';
import { readShardingSettings } from './check-environment.js';

/**
 * The NVIDIA compute capabilities on which vLLM runs what a technique makes: from `min`, and below
 * `below`. FP8 checkpoints run from 8.0 with FP8 weights alone, and from 8.9 with FP8 activations.
 * Source: vLLM's table of supported hardware for quantization.
 */
const COMPUTE_CAPABILITY: Readonly<
  Record<string, { readonly min: number; readonly below?: number }>
> = {
  awq: { min: 7.5 },
  fp8: { min: 8 },
  gptq: { min: 7.5 },
  int8: { min: 7.5, below: 10 },
  rtn: { min: 7.5 },
  smoothquant: { min: 7.5, below: 10 },
};

/**
 * Refuses a technique whose result the deployment instance can't run at all, and more ranks than it
 * has accelerators. Whether a rank fits one of them shows when the model's headers are read.
 * @throws ServiceError `ValidationException` that names the instance type, its accelerator and the technique
 */
export function checkHardware(instanceType: DeploymentInstanceType, steps: readonly Step[]): void {
  const { accelerator } = acceleratorsOf(instanceType);
  for (const step of steps) {
    // Only the built-in optimizer's results are known.
    if (step.image !== undefined) continue;
    if (step.technique === 'sharding') checkRanks(instanceType, step, steps);
    if (step.technique === 'compilation') checkCompiler(instanceType);
    // What is compiled next runs where ONNX Runtime does.
    if (steps.at(-1)?.technique === 'compilation') continue;
    if (step.technique !== 'quantization') continue;
    const { technique } = parseQuantizationSettings(step.environment).scheme;
    const needed = COMPUTE_CAPABILITY[technique];
    const has = accelerator.computeCapability;
    if (has === undefined) {
      throw validationError(
        `DeploymentInstanceType ${instanceType} (${accelerator.name}) does not run quantized checkpoints: Neuron devices take compiled models only. Choose a GPU instance type.`,
      );
    }
    if (needed === undefined) continue;
    if (has < needed.min) {
      throw validationError(
        `DeploymentInstanceType ${instanceType} (${accelerator.name}, compute capability ${has.toFixed(1)}) can’t run OPTION_QUANTIZE=${technique}, which needs ${needed.min.toFixed(1)}. Choose another instance type or technique.`,
      );
    }
    if (needed.below !== undefined && has >= needed.below) {
      throw validationError(
        `DeploymentInstanceType ${instanceType} (${accelerator.name}, compute capability ${has.toFixed(1)}) can’t run OPTION_QUANTIZE=${technique}, which is supported below ${needed.below.toFixed(1)}. Choose another instance type, or fp8.`,
      );
    }
  }
}

/** The built-in compiler's graphs run on ONNX Runtime, which knows no Neuron devices. */
function checkCompiler(instanceType: DeploymentInstanceType): void {
  const { accelerator } = acceleratorsOf(instanceType);
  if (accelerator.computeCapability !== undefined) return;
  throw validationError(
    `DeploymentInstanceType ${instanceType} (${accelerator.name}) needs a model that is compiled by the Neuron compiler, which the built-in optimizer has not. Give the step the Image of a Neuron compiler (an LMI Neuron container), or choose a GPU instance type.`,
  );
}

function checkRanks(
  instanceType: DeploymentInstanceType,
  step: Step,
  steps: readonly Step[],
): void {
  const { accelerator, count } = acceleratorsOf(instanceType);
  if (accelerator.computeCapability === undefined) {
    throw validationError(
      `DeploymentInstanceType ${instanceType} (${accelerator.name}) does not load sharded models: Neuron devices take compiled models only. Choose a GPU instance type.`,
    );
  }
  const { tensorParallel, pipelineParallel } = readShardingSettings(step, steps);
  const ranks = tensorParallel * pipelineParallel;
  if (ranks > count) {
    throw validationError(
      `A tensor-parallel degree of ${tensorParallel} and a pipeline-parallel degree of ${pipelineParallel} make ${ranks} ranks, one for each accelerator, but DeploymentInstanceType ${instanceType} has ${count} (${accelerator.name}). Choose smaller degrees or a larger instance type.`,
    );
  }
}
