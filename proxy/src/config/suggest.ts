// The known word that was probably meant by a misspelt one.

/** Share of a word's letters that may be wrong before a suggestion is more likely noise. */
const MAX_WRONG_RATIO = 0.4;

/** The candidate nearest to `word`, or undefined when none is near enough. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(simplify(word), simplify(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return bestDistance <= Math.max(1, Math.floor(word.length * MAX_WRONG_RATIO)) ? best : undefined;
}

/** `negative_ttl`, `negative-ttl` and `negativeTtl` are the same word written three ways. */
function simplify(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Insertions, deletions and replacements that lead from one word to the other (Levenshtein). */
function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const replaced = at(previous, column - 1) + (one[row - 1] === other[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, at(previous, column) + 1, at(current, column - 1) + 1));
    }
    previous = current;
  }
  return at(previous, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
