/** The blocks of one pipeline stage: the first, and the one after the last. */
export type Stage = readonly [number, number];

/** Divides blocks among pipeline stages as vLLM does: equally; what is left over goes one each to the
 * stages before the last, from the back, since the last also has the output layer.
 * @param degree at most as many as there are blocks. */
export function pipelineStages(blocks: number, degree: number): readonly Stage[] {
  const each = Math.floor(blocks / degree);
  const left = blocks % degree;
  let end = 0;
  return Array.from({ length: degree }, (_, rank): Stage => {
    const fromBack = degree - rank;
    const first = end;
    end += each + (fromBack >= 2 && fromBack < left + 2 ? 1 : 0);
    return [first, end];
  });
}

/** Divides whole experts among ranks as vLLM does: in order, the first ranks having one more where they
 * do not come out even. */
export function expertsOf(experts: number, degree: number, rank: number): Stage {
  const each = Math.floor(experts / degree);
  const left = experts % degree;
  const first = rank * each + Math.min(rank, left);
  return [first, first + each + (rank < left ? 1 : 0)];
}
