import { CONFIG_FILE } from '../../checkpoint/hf-config.js';
import { formatShardIndex, INDEX_FILE } from '../../checkpoint/shard-index.js';
import { writeBesideWeights } from '../output/beside-weights.js';
import { withQuantizationConfig } from '../output/config-json.js';
import type { Progress } from '../progress.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import type { PreparedQuantization } from './prepare.js';

/** Writes all files of a result but the weights and the report. */
export async function writeOtherFiles(
  prepared: PreparedQuantization,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { checkpoint, others, output, quantization, properties, weights } = prepared;
  const texts = new Map([
    [CONFIG_FILE, withQuantizationConfig(checkpoint.config, quantization)],
    [PROPERTIES_FILE, formatProperties(properties)],
  ]);
  if (checkpoint.index !== undefined) {
    const { metadata } = checkpoint.index;
    texts.set(INDEX_FILE, formatShardIndex(metadata, weights.tensorBytes, weights.fileOf));
  }
  await writeBesideWeights(output, { others, texts }, progress, signal);
}
