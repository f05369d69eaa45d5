import { mkdir, open, readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createKernelPool } from '#burnish/kernels/index.js';
import { createFiles } from '#burnish/optimizer/output/planned-files.js';
import { Progress } from '#burnish/optimizer/progress.js';
import { executeWork } from '#burnish/optimizer/quantization/execute.js';
import { prepareQuantization } from '#burnish/optimizer/quantization/prepare.js';
import { verifyOutput } from '#burnish/optimizer/quantization/verify.js';
import { workFolder } from '#burnish/optimizer/resuming/finished-work.js';
import { type LlamaSizes, llama, writeModel } from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const running = new AbortController().signal;

async function quantized(
  environment: Readonly<Record<string, string>>,
  sizes: Partial<LlamaSizes> = {},
) {
  const folders = {
    inputFolder: await writeModel(llama(sizes)),
    outputFolder: temporaryFolder(),
  };
  const { weights } = await prepareQuantization({
    ...folders,
    environment: { OPTION_EVALUATE: 'false', ...environment },
    datasets: {},
    scratchFolder: undefined,
    progress: Progress.toFile(undefined),
    log: () => {},
    signal: running,
  });
  await mkdir(workFolder(undefined, folders.outputFolder), { recursive: true });
  await createFiles(weights.files, running);
  const pool = createKernelPool({ threads: 1 });
  onTestFinished(() => pool.close());
  const layers = await executeWork(weights.work, pool, running, () => {});
  return { files: weights.files, layers, folder: folders.outputFolder };
}

async function change(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(bytes, 0, bytes.length, offset);
  await handle.close();
}

const TECHNIQUES = [
  { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' },
  { OPTION_QUANTIZE: 'int8' },
  { OPTION_QUANTIZE: 'rtn' },
  { OPTION_QUANTIZE: 'rtn', OPTION_RTN_ZERO_POINT: 'true', OPTION_RTN_BLOCK_SIZE: '32' },
  { OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '2', OPTION_RTN_BLOCK_SIZE: '32' },
  { OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '3', OPTION_RTN_ZERO_POINT: 'true' },
  {
    OPTION_QUANTIZE: 'rtn',
    OPTION_RTN_WEIGHT_BIT_WIDTH: '8',
    OPTION_RTN_BLOCK_SIZE: '-1',
    OPTION_RTN_ZERO_POINT: 'true',
  },
];

describe('verifyOutput', () => {
  it.each(TECHNIQUES)('passes what %j wrote, from every type', async (environment) => {
    for (const dtype of ['BF16', 'F16', 'F32'] as const) {
      const { files, layers } = await quantized(environment, { dtype });
      const verified: string[] = [];
      await verifyOutput(files, layers, running, ({ layer }) => verified.push(layer.module));
      expect(verified).toHaveLength(14);
    }
  });

  it.each(TECHNIQUES)('notices a scale of %j that is off by a third', async (environment) => {
    const { files, layers } = await quantized(environment);
    const [file] = files;
    const [done] = layers;
    if (file === undefined || done === undefined) throw new Error('nothing was written');
    const scales = file.layout.tensors.get(`${done.layer.module}.weight_scale`);
    const bytes = await readFile(file.path);
    const start = scales?.offset ?? 0;
    const values = new Uint16Array(
      Uint8Array.from(bytes.subarray(start, start + (scales?.length ?? 0))).buffer,
    );
    // A bf16 has seven bits of mantissa: adding 43 makes it larger by a sixth to a third.
    await change(file.path, start, new Uint8Array(values.map((value) => value + 43).buffer));
    await expect(verifyOutput(files, layers, running, () => {})).rejects.toThrow(
      `Tensor ${done.layer.module}.weight, row `,
    );
  });

  it('notices codes that were never written', async () => {
    const { files, layers } = await quantized({ OPTION_QUANTIZE: 'int8' });
    const [file] = files;
    const [done] = layers;
    if (file === undefined || done === undefined) throw new Error('nothing was written');
    const codes = file.layout.tensors.get(`${done.layer.module}.weight`);
    await change(file.path, codes?.offset ?? 0, new Uint8Array(codes?.length ?? 0));
    await expect(verifyOutput(files, layers, running, () => {})).rejects.toThrow(
      'was written as 0',
    );
  });

  it('notices a header that was overwritten', async () => {
    const { files, layers } = await quantized({ OPTION_QUANTIZE: 'int8' });
    await change(files[0]?.path ?? '', 9, Buffer.from('"x'));
    await expect(verifyOutput(files, layers, running, () => {})).rejects.toThrow();
  });

  it('notices an error that was told wrongly', async () => {
    const { files, layers } = await quantized({ OPTION_QUANTIZE: 'rtn' });
    const wrong = layers.map((done) => ({
      ...done,
      error: { ...done.error, worstAbsolute: done.error.worstAbsolute * 1.01 },
    }));
    await expect(verifyOutput(files, wrong, running, () => {})).rejects.toThrow(
      'but the written file has',
    );
  });
});
