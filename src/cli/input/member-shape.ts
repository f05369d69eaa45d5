import type { Shape } from '../../service-model/shape.js';

/** The shape of one member; undefined where the shape has no such member, or has no members. */
export function memberShape(shape: Shape | undefined, name: string): Shape | undefined {
  if (shape?.type !== 'structure' && shape?.type !== 'union') return undefined;
  return Object.hasOwn(shape.members, name) ? shape.members[name]?.shape : undefined;
}
