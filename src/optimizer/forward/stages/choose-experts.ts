/** The experts with the largest shares, and how much each counts. Among equal shares the first comes
 * first.
 * @param normalized whether what counts adds up to one. */
export function chooseExperts(
  shares: Float32Array,
  chosen: number,
  normalized: boolean,
): readonly { readonly expert: number; readonly share: number }[] {
  const best = Array.from(shares, (share, expert) => ({ expert, share }))
    .sort((a, b) => b.share - a.share || a.expert - b.expert)
    .slice(0, chosen);
  if (!normalized) return best;
  const sum = best.reduce((total, { share }) => total + share, 0);
  return best.map(({ expert, share }) => ({ expert, share: share / sum }));
}
