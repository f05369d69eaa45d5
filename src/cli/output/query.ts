import type { JsonValue } from '../../service-model/read-value.js';

/** A compiled JMESPath expression. */
export interface Query {
  search(value: JsonValue): JsonValue;
}
