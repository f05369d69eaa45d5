import { divides, segmentRange } from '../../checkpoint/architectures/sharding/module-division.js';
import type { DeploymentInstance } from '../contract.js';
import { formatBytes } from '../report/table.js';
import { SettingsError } from '../settings/errors.js';
import type { ShardingSettings } from '../settings/sharding-settings.js';
import type { Demand } from './slice.js';

/** What the model and the instance ask of the degrees. */
export interface DegreeLimits {
  readonly demands: readonly Demand[];
  readonly blocks: number;
  /** Experts of a block that are handed out whole; undefined where none are. */
  readonly wholeExperts: number | undefined;
  readonly deployment: DeploymentInstance | undefined;
  /** Bytes of the weights of the rank that has most.
   * @param tensorParallel a degree that divides the model. */
  largestRank(tensorParallel: number, pipelineParallel: number): number;
}

/** Furthest degree looked at for one that works. */
const MAX_LOOKED_AT = 256;

/** Refuses degrees that the model or the deployment instance cannot take, before any weight is read.
 * @throws SettingsError with the numbers, and the nearest degrees that work. */
export function checkDegrees(limits: DegreeLimits, settings: ShardingSettings): void {
  const { tensorParallel, pipelineParallel, labels } = settings;
  const { blocks } = limits;
  if (pipelineParallel > blocks) {
    throw new SettingsError(
      labels.pipelineParallel,
      `${labels.pipelineParallel} is ${pipelineParallel}, but the model has ${blocks} blocks, and each stage needs one; the largest degree that works is ${blocks}`,
    );
  }
  const problem =
    modelProblem(limits, tensorParallel) ??
    instanceProblem(limits, tensorParallel, pipelineParallel);
  if (problem === undefined) return;
  const near = nearestDegrees(limits, tensorParallel, pipelineParallel);
  throw new SettingsError(
    labels.tensorParallel,
    `${labels.tensorParallel} is ${tensorParallel}${
      pipelineParallel === 1 ? '' : ` and ${labels.pipelineParallel} ${pipelineParallel}`
    }, but ${problem}; ${describeNear(near, pipelineParallel)}`,
  );
}

/** Why the model cannot be divided among so many tensor ranks. */
function modelProblem({ demands, wholeExperts }: DegreeLimits, degree: number): string | undefined {
  const undivided = demands
    .filter(({ segment }) => !divides(degree, segment))
    .sort((a, b) => a.segment.units - b.segment.units)
    .map(({ segment: { units, what } }) => `${units} ${what}`);
  if (undivided.length > 0) {
    return `${degree} does not divide the model’s ${[...new Set(undivided)].join(', ')}`;
  }
  for (const { segment, multiple, tensor } of demands) {
    const { count } = segmentRange(segment, degree, 0);
    if (count % multiple !== 0) {
      return `each rank would get ${count} channels of ${tensor}, which are stored in groups of ${multiple} that cannot be split`;
    }
  }
  if (wholeExperts !== undefined && degree > wholeExperts) {
    return `there are only ${wholeExperts} experts to hand out`;
  }
  return undefined;
}

/** Why the instance cannot serve so many ranks of such a size. */
function instanceProblem(
  limits: DegreeLimits,
  tensorParallel: number,
  pipelineParallel: number,
): string | undefined {
  const { deployment } = limits;
  if (deployment === undefined) return undefined;
  const { instanceType, accelerator, count, memoryGb } = deployment;
  const ranks = tensorParallel * pipelineParallel;
  if (ranks > count) {
    return `that takes ${ranks} accelerators and ${instanceType} has ${count} (${accelerator})`;
  }
  const bytes = limits.largestRank(tensorParallel, pipelineParallel);
  if (bytes >= memoryGb * 1e9) {
    return `a rank’s weights take ${formatBytes(bytes)} and one ${accelerator} of ${instanceType} has ${memoryGb} GB`;
  }
  return undefined;
}

/** The next degree below and above that works, if there are any. */
function nearestDegrees(
  limits: DegreeLimits,
  tensorParallel: number,
  pipelineParallel: number,
): readonly number[] {
  const works = (degree: number): boolean =>
    modelProblem(limits, degree) === undefined &&
    instanceProblem(limits, degree, pipelineParallel) === undefined;
  const found: number[] = [];
  for (let degree = Math.min(tensorParallel - 1, MAX_LOOKED_AT); degree >= 1; degree -= 1) {
    if (!works(degree)) continue;
    found.push(degree);
    break;
  }
  for (let degree = tensorParallel + 1; degree <= MAX_LOOKED_AT; degree += 1) {
    if (!works(degree)) continue;
    found.push(degree);
    break;
  }
  return found;
}

function describeNear(degrees: readonly number[], pipelineParallel: number): string {
  const beside = pipelineParallel === 1 ? '' : ' beside this pipeline degree';
  if (degrees.length === 0) return `no tensor-parallel degree works${beside}`;
  return degrees.length === 1
    ? `the nearest degree that works${beside} is ${degrees[0]}`
    : `the nearest degrees that work${beside} are ${degrees.join(' and ')}`;
}
