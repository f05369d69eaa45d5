import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '#burnish/optimizer/progress.js';
import type { OptimizationReport } from '#burnish/optimizer/report/types.js';
import { runSharding } from '#burnish/optimizer/sharding/run.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { type SyntheticTensor, safetensorsFile } from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** Finite bfloat16 numbers whose bits are a hash of the tensor's name and the element's index; the same
 * as in test/interop/vllm/dump_states.py. */
export function hashedNumbers(name: string, count: number): Uint8Array {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const bits = new Uint16Array(count);
  for (let index = 0; index < count; index += 1) {
    let mixed = Math.imul(index, 0x9e3779b1) ^ seed;
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x85ebca6b);
    bits[index] = (mixed >>> 13) & 0xbfff;
  }
  return new Uint8Array(bits.buffer);
}

/** A bf16 tensor of hashed numbers. */
export function hashedTensor(name: string, shape: readonly number[]): SyntheticTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { name, dtype: 'BF16', shape, data: hashedNumbers(name, count) };
}

/** Writes a checkpoint of one file into a folder that goes when the test ends. */
export async function writeModel(
  config: object,
  tensors: readonly SyntheticTensor[],
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const root = temporaryFolder('shards');
  const folder = join(root, 'source');
  await mkdir(folder);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'model.safetensors'), safetensorsFile(tensors, { format: 'pt' }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

export interface ShardedModel {
  readonly folder: string;
  readonly report: OptimizationReport;
  readonly log: readonly string[];
}

/** Shards a model into a folder beside it. */
export async function shard(
  source: string,
  environment: Readonly<Record<string, string | number>>,
  change: Partial<StepRun> = {},
): Promise<ShardedModel> {
  const folder = change.outputFolder ?? (await mkdtemp(join(source, '..', 'result-')));
  const log: string[] = [];
  const report = await runSharding({
    inputFolder: source,
    outputFolder: folder,
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [`OPTION_${name}`, String(value)]),
    ),
    datasets: {},
    scratchFolder: undefined,
    progress: Progress.toFile(undefined),
    log: (line) => log.push(line),
    signal: new AbortController().signal,
    ...change,
  });
  return { folder, report, log };
}
