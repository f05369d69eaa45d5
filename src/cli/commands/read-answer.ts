import { type JsonValue, readValue } from '../../service-model/read-value.js';
import type { Infer, Shape } from '../../service-model/shape.js';
import { ExactNumber, isWireList, type WireValue } from '../output/wire-value.js';

/**
 * The value of an answer's shape, for the commands that use an answer instead of printing it.
 *
 * @throws ServiceError where the answer is no such value.
 */
export const readAnswer = <S extends Shape>(shape: S, answer: WireValue): Infer<S> =>
  readValue(shape, plainJson(answer));

function plainJson(value: WireValue): JsonValue {
  if (value instanceof ExactNumber) return value.valueOf();
  if (isWireList(value)) return value.map(plainJson);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plainJson(item)]));
}
