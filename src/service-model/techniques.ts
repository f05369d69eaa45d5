import type { OptimizationConfig } from './optimization-job-shapes.js';
import type { Infer } from './shape.js';

type ConfigMember = keyof typeof OptimizationConfig.members;

/** What the API calls each technique: its config member, its type in lists, and our own name. */
export const TECHNIQUES = {
  ModelQuantizationConfig: { name: 'quantization', optimizationType: 'Quantization' },
  ModelCompilationConfig: { name: 'compilation', optimizationType: 'Compilation' },
  ModelShardingConfig: { name: 'sharding', optimizationType: 'Sharding' },
  ModelSpeculativeDecodingConfig: {
    name: 'speculative-decoding',
    optimizationType: 'SpeculativeDecoding',
  },
} as const satisfies Record<ConfigMember, { name: string; optimizationType: string }>;

export type TechniqueName = (typeof TECHNIQUES)[ConfigMember]['name'];
export type OptimizationType = (typeof TECHNIQUES)[ConfigMember]['optimizationType'];

/** Names the job whose finished layers a new one goes on from. It is no setting of a step. */
export const RESUME_SETTING = 'OPTION_RESUME_FROM';

export type EnvironmentMap = Readonly<Record<string, string>>;

/** One entry of `OptimizationConfigs`, with the job's environment and its own merged. */
export interface Step {
  readonly technique: TechniqueName;
  readonly optimizationType: OptimizationType;
  readonly image: string | undefined;
  /** `OptimizationEnvironment` with the step's `OverrideEnvironment` on top. */
  readonly environment: EnvironmentMap;
}

/** The steps of a job, in order. */
export function stepsOf(request: {
  readonly OptimizationConfigs: readonly Infer<typeof OptimizationConfig>[];
  readonly OptimizationEnvironment?: EnvironmentMap | undefined;
}): readonly Step[] {
  const { [RESUME_SETTING]: _, ...shared } = request.OptimizationEnvironment ?? {};
  return request.OptimizationConfigs.map((config) => {
    const member = Object.keys(config)[0] as ConfigMember;
    const settings: { readonly Image?: string; readonly OverrideEnvironment?: EnvironmentMap } =
      Object.values(config)[0];
    const { name, optimizationType } = TECHNIQUES[member];
    return {
      technique: name,
      optimizationType,
      image: settings.Image,
      environment: { ...shared, ...settings.OverrideEnvironment },
    };
  });
}

/** The job that a request wants to go on from. */
export function resumedJobOf(request: {
  readonly OptimizationEnvironment?: EnvironmentMap | undefined;
}): string | undefined {
  return request.OptimizationEnvironment?.[RESUME_SETTING];
}
