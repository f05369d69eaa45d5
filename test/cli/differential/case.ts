/** One argument list that both programs get, and how their answers are compared. */
export interface Case {
  /** What follows `aws sagemaker`, or `burnish`. */
  readonly args: readonly string[];
  /** What comes before. */
  readonly before?: readonly string[];
  /** Set where the wording differs: what both messages must contain. */
  readonly names?: readonly string[];
  /** What the service answers, request after request; the last one again and again. */
  readonly answers?: readonly Answer[];
  /** How what is printed is compared: as text, as YAML without its comments, or not at all. */
  readonly output?: 'text' | 'yaml' | 'ignored';
}

export interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

/** A valid request, option by option. */
const CREATE: Readonly<Record<string, readonly string[]>> = {
  '--optimization-job-name': ['job-1'],
  '--role-arn': ['arn:aws:iam::123456789012:role/optimizer'],
  '--model-source': ['S3={S3Uri=s3://models/llama}'],
  '--deployment-instance-type': ['ml.g5.xlarge'],
  '--optimization-configs': ['ModelQuantizationConfig={}'],
  '--output-config': ['S3OutputLocation=s3://models/out'],
  '--stopping-condition': ['MaxRuntimeInSeconds=3600'],
};

/** The valid request with one option added or replaced by other values, or left out for none. */
export function create(option?: string, ...values: readonly string[]): Case {
  const options = { ...CREATE };
  if (option !== undefined) options[option] = values;
  return { args: ['create-optimization-job', ...Object.entries(options).flatMap(join)] };
}

/** The valid request without one option. */
export function createWithout(option: string): Case {
  const { [option]: _, ...options } = CREATE;
  return { args: ['create-optimization-job', ...Object.entries(options).flatMap(join)] };
}

const join = ([flag, values]: [string, readonly string[]]): readonly string[] => [flag, ...values];

export const list = (...args: readonly string[]): Case => ({
  args: ['list-optimization-jobs', ...args],
});

export const describeJob = (...args: readonly string[]): Case => ({
  args: ['describe-optimization-job', ...args],
});
