import { join } from 'node:path';
import { CONFIG_FILE } from '../../checkpoint/hf-config.js';
import { formatShardIndex, INDEX_FILE } from '../../checkpoint/shard-index.js';
import { withQuantizationConfig } from '../output/config-json.js';
import { copyFiles } from '../output/folder.js';
import type { Progress } from '../progress.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import { writeNew } from '../step-frame.js';
import type { PreparedQuantization } from './prepare.js';

/** Writes all files of a result but the weights and the report. */
export async function writeOtherFiles(
  prepared: PreparedQuantization,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { checkpoint, others, output, quantization, properties, weights } = prepared;
  progress.begin('copying', {
    tensors: others.length,
    bytes: others.reduce((sum, { size }) => sum + size, 0),
  });
  await copyFiles(others, output, signal, ({ size }) => progress.advance(1, size));
  await writeNew(
    join(output, CONFIG_FILE),
    withQuantizationConfig(checkpoint.config, quantization),
  );
  await writeNew(join(output, PROPERTIES_FILE), formatProperties(properties));
  if (checkpoint.index !== undefined) {
    const { metadata } = checkpoint.index;
    await writeNew(
      join(output, INDEX_FILE),
      formatShardIndex(metadata, weights.tensorBytes, weights.fileOf),
    );
  }
}
