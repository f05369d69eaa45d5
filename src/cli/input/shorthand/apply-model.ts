import type { Shape } from '../../../service-model/shape.js';
import { convertScalar } from '../convert-scalar.js';
import { type InputObject, type InputValue, isInputList, isInputObject } from '../input-value.js';
import { memberShape } from '../member-shape.js';

/**
 * Gives parsed shorthand the types of its shape: numbers and booleans become such, and a lone value
 * where a list belongs becomes that list's only element. What does not fit is left for validation.
 *
 * @throws ConversionError where a member needs a number or a boolean and the value can't be one.
 */
export function applyModel(shape: Shape, value: InputValue): InputValue {
  switch (shape.type) {
    case 'structure':
    case 'union':
      if (!isInputObject(value)) return value;
      return mapEntries(value, (name, member) => {
        const known = memberShape(shape, name);
        return known === undefined ? member : applyToMember(known, member);
      });
    case 'list':
      if (!isInputList(value)) return value;
      return value.map((element) => applyToMember(shape.element, element));
    case 'map':
      if (!isInputObject(value)) return value;
      return mapEntries(value, (_name, member) => applyToMember(shape.value, member));
    default:
      return convertScalar(shape, value);
  }
}

const applyToMember = (shape: Shape, value: InputValue): InputValue =>
  shape.type === 'list' && !isInputList(value) ? [value] : applyModel(shape, value);

const mapEntries = (
  object: InputObject,
  change: (name: string, value: InputValue) => InputValue,
): InputObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(name, value)]));
