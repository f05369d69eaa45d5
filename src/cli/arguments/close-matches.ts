/** Below this likeness a suggestion would be a guess. The AWS CLI draws the line at the same place. */
const MIN_LIKENESS = 0.8;
const MAX_SUGGESTIONS = 3;

/** The candidates most like a mistyped word, the closest first; often none. Case doesn't count. */
export function closeMatches(word: string, candidates: Iterable<string>): readonly string[] {
  return [...candidates]
    .map((candidate) => ({
      candidate,
      likeness: likeness(candidate.toLowerCase(), word.toLowerCase()),
    }))
    .filter((match) => match.likeness >= MIN_LIKENESS)
    .sort((a, b) => b.likeness - a.likeness || (a.candidate < b.candidate ? 1 : -1))
    .slice(0, MAX_SUGGESTIONS)
    .map((match) => match.candidate);
}

/**
 * How much of two words is the same, from 0 to 1: twice the characters in their common pieces over
 * all their characters. Source: Ratcliff and Metzener, "Pattern Matching: The Gestalt Approach",
 * 1988.
 */
function likeness(a: string, b: string): number {
  if (a.length + b.length === 0) return 1;
  return (2 * commonCharacters(a, b)) / (a.length + b.length);
}

/** The length of the longest common piece, and of those to its left and right, and so on. */
function commonCharacters(a: string, b: string): number {
  const longest = longestCommonPiece(a, b);
  if (longest.length === 0) return 0;
  return (
    longest.length +
    commonCharacters(a.slice(0, longest.inA), b.slice(0, longest.inB)) +
    commonCharacters(a.slice(longest.inA + longest.length), b.slice(longest.inB + longest.length))
  );
}

function longestCommonPiece(a: string, b: string) {
  let longest = { inA: 0, inB: 0, length: 0 };
  let row = new Uint16Array(b.length + 1);
  for (let i = 0; i < a.length; i++) {
    const next = new Uint16Array(b.length + 1);
    for (let j = 0; j < b.length; j++) {
      if (a[i] !== b[j]) continue;
      const length = (row[j] ?? 0) + 1;
      next[j + 1] = length;
      if (length > longest.length) {
        longest = { inA: i - length + 1, inB: j - length + 1, length };
      }
    }
    row = next;
  }
  return longest;
}
