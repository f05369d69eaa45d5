/**
 * Evaluates JMESPath as the AWS CLI does: text compares by order too, integers and floats stay
 * apart, and what can't be compared is null. Source: the JMESPath specification.
 */
import { CliError, EXIT_STATUS } from './errors.js';
import { callFunction } from './query-functions.js';
import type { QueryNode } from './query-syntax.js';
import { compareValues, ExpressionReference, isFalse, sameValue } from './query-values.js';
import { isWireList, isWireObject, type WireObject, type WireValue } from './wire-value.js';

/** @throws CliError where a function is unknown or gets what it can't take. */
export function evaluateQuery(node: QueryNode, value: WireValue): WireValue {
  switch (node.type) {
    case 'Identity':
    case 'Current':
      return value;
    case 'Field':
      return isWireObject(value) && Object.hasOwn(value, node.name)
        ? (value[node.name] ?? null)
        : null;
    case 'Literal':
      return node.value as WireValue;
    case 'Index':
      return isWireList(value) ? (value.at(node.value) ?? null) : null;
    case 'Slice':
      return isWireList(value) ? slice(value, node.start, node.stop, node.step) : null;
    case 'Subexpression':
    case 'IndexExpression':
    case 'Pipe':
      return evaluateQuery(node.right, evaluateQuery(node.left, value));
    case 'Projection':
      return project(evaluateQuery(node.left, value), node.right);
    case 'ValueProjection': {
      const base = evaluateQuery(node.left, value);
      return isWireObject(base) ? project(Object.values(base), node.right) : null;
    }
    case 'FilterProjection': {
      const base = evaluateQuery(node.left, value);
      if (!isWireList(base)) return null;
      const kept = base.filter((element) => !isFalse(evaluateQuery(node.condition, element)));
      return project(kept, node.right);
    }
    case 'Flatten': {
      const base = evaluateQuery(node.child, value);
      return isWireList(base) ? (base.flat() as WireValue[]) : null;
    }
    case 'MultiSelectList':
      if (value === null) return null;
      return node.children.map((child) => evaluateQuery(child, value));
    case 'MultiSelectHash': {
      if (value === null) return null;
      const selected: Record<string, WireValue> = Object.create(null);
      for (const child of node.children) selected[child.name] = evaluateQuery(child.value, value);
      return selected as WireObject;
    }
    case 'AndExpression': {
      const left = evaluateQuery(node.left, value);
      return isFalse(left) ? left : evaluateQuery(node.right, value);
    }
    case 'OrExpression': {
      const left = evaluateQuery(node.left, value);
      return isFalse(left) ? evaluateQuery(node.right, value) : left;
    }
    case 'NotExpression':
      return isFalse(evaluateQuery(node.child, value));
    case 'Comparator':
      return compare(node.name, evaluateQuery(node.left, value), evaluateQuery(node.right, value));
    case 'Function':
      return callFunction(
        node.name,
        node.children.map((child) =>
          child.type === 'ExpressionReference'
            ? new ExpressionReference((element) => evaluateQuery(child.child, element))
            : evaluateQuery(child, value),
        ),
      );
    default:
      throw new CliError(`Unsupported expression in --query: ${node.type}`, EXIT_STATUS.failure);
  }
}

function project(base: WireValue, right: QueryNode): WireValue {
  if (!isWireList(base)) return null;
  return base.map((element) => evaluateQuery(right, element)).filter((result) => result !== null);
}

function compare(
  operator: 'EQ' | 'NE' | 'GT' | 'GTE' | 'LT' | 'LTE',
  left: WireValue,
  right: WireValue,
): WireValue {
  if (operator === 'EQ') return sameValue(left, right);
  if (operator === 'NE') return !sameValue(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return null;
  if (operator === 'GT') return order > 0;
  if (operator === 'GTE') return order >= 0;
  return operator === 'LT' ? order < 0 : order <= 0;
}

function slice(
  list: readonly WireValue[],
  start: number | null,
  stop: number | null,
  step: number | null,
): WireValue {
  const stride = step ?? 1;
  if (stride === 0) throw new CliError('slice step cannot be zero', EXIT_STATUS.failure);
  const clamp = (index: number | null, atStart: number, atEnd: number, otherwise: number) => {
    if (index === null) return otherwise;
    return Math.min(Math.max(index < 0 ? index + list.length : index, atStart), atEnd);
  };
  const selected: WireValue[] = [];
  if (stride > 0) {
    const end = clamp(stop, 0, list.length, list.length);
    for (let i = clamp(start, 0, list.length, 0); i < end; i += stride) {
      selected.push(list[i] ?? null);
    }
  } else {
    const last = list.length - 1;
    const end = clamp(stop, -1, last, -1);
    for (let i = clamp(start, -1, last, last); i > end; i += stride) selected.push(list[i] ?? null);
  }
  return selected;
}
