import { CheckpointError } from '../errors.js';
import type { HfConfig } from '../hf-config.js';
import type { Architecture } from './architecture.js';
import { ARCHITECTURES, UNSUPPORTED_MODEL_TYPES } from './table.js';

/** The entry of the table that a configuration's model type, or its language model's, belongs to.
 * @throws CheckpointError for models whose layers are stored in a way that cannot be quantized. */
export function findArchitecture(config: HfConfig): Architecture | undefined {
  const languageModelType = config.languageModel.model_type;
  const types = [
    config.modelType,
    ...(typeof languageModelType === 'string' ? [languageModelType] : []),
  ];
  for (const type of types) {
    const reason = UNSUPPORTED_MODEL_TYPES.get(type);
    if (reason !== undefined) {
      throw new CheckpointError(`models of the type ${type} cannot be quantized: ${reason}`, {
        file: 'config.json',
      });
    }
  }
  return ARCHITECTURES.find(({ modelTypes }) => types.some((type) => modelTypes.includes(type)));
}

/** Whether the output layer shares the input embedding's weight. Transformers ties the two where
 * neither the configuration nor the model's class says otherwise. */
export function isTied(config: HfConfig, architecture: Architecture | undefined): boolean {
  return config.tieWordEmbeddings ?? architecture?.tiedByDefault ?? true;
}
