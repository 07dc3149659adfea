// How searched words and names are compared. segments/selectors/names/nearness.py has the same rules for the brand's own
// names; tests/segments/builder/words.json holds both to one table of examples. Pure.

const HUMPS = /(?<=[\p{Ll}\p{Nd}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const ONE_SLIP = 4; // letters: shorter words are near to far too many
const TWO_SLIPS = 9;
const PREFIX = 5; // letters from which on the beginning of a word may be near
const MOST_LETTERS = 64;

// Words of a search that say what kind of thing is meant, or join the others: none has to be in a name.
const FILLERS = new Set([
  'is', 'set', 'to', 'equals', 'event', 'events', 'property', 'properties', 'a', 'an', 'the', 'of', 'with', 'named', 'called',
]);
// Those that stand between a name and its value where a rule is pasted.
const BETWEEN = new Set(['is', 'set', 'to', 'equals']);

/** A text split at spaces, each piece into its words: `orderTotal` and `order_total` are order, total. */
export function wordsOf(text) {
  const split = (chunk) => (chunk.match(/[\p{L}\p{N}]+/gu) || []).flatMap((token) => token.split(HUMPS));
  return text.split(/\s+/u).map((chunk) => split(chunk).map((word) => word.toLowerCase())).filter((chunk) => chunk.length);
}

/** All words by whose beginnings a text is found: those of `orderTotal` are order, total and ordertotal. */
export const partsOf = (text) => wordsOf(text).flatMap((chunk) => (chunk.length === 1 ? chunk : [...chunk, chunk.join('')]));

function without(chunks, words) {
  const left = chunks.filter((chunk) => !chunk.every((word) => words.has(word)));
  return left.length ? left : chunks;
}

/** What was typed without its fillers; all of it where there is nothing else. */
export const meantWords = (typed) => without(wordsOf(typed), FILLERS);

/** What was typed without the words between a name and its value. */
export const saidWords = (typed) => without(wordsOf(typed), BETWEEN);

export const isFiller = (chunk) => wordsOf(chunk).flat().every((word) => FILLERS.has(word));

export const singular = (word) => (word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word);

const oneBegins = (parts, word) => parts.some((part) => part.startsWith(word) || part.startsWith(singular(word)));

/** Whether the chunk, or each of its words, begins one of the parts; a plural finds the singular. */
export const begins = (parts, chunk) => oneBegins(parts, chunk.join(''))
  || (chunk.length > 1 && chunk.every((word) => oneBegins(parts, word)));

/** How many slips lie between the chunk and the nearest of the parts; null where none is near. */
export function slipsTo(parts, chunk) {
  if (begins(parts, chunk)) return 0;
  const whole = parts.map((part) => near(chunk.join(''), part)).filter((found) => found !== null);
  if (whole.length) return Math.min(...whole);
  if (chunk.length === 1) return null;
  const each = chunk.map((word) => slipsTo(parts, [word]));
  return each.includes(null) ? null : each.reduce((sum, found) => sum + found, 0);
}

function near(word, part) {
  const most = allowed(word);
  const found = Math.abs(word.length - part.length) <= most ? slips(word, part) : most + 1;
  if (found <= most) return found;
  // A word that is not typed to its end.
  if (!most || word.length < PREFIX || part.length <= word.length) return null;
  const begun = slips(word, part.slice(0, word.length));
  return begun <= 1 ? begun : null;
}

function allowed({length}) {
  if (length < ONE_SLIP || length > MOST_LETTERS) return 0;
  return length < TWO_SLIPS ? 1 : 2;
}

/** The letters to add, drop, change or swap with their neighbour between two words. */
export function slips(one, other) {
  let before = [];
  let above = [];
  let row = Array.from({length: other.length + 1}, (_, m) => m);
  for (let n = 1; n <= one.length; n += 1) {
    [before, above, row] = [above, row, [n]];
    for (let m = 1; m <= other.length; m += 1) {
      let least = Math.min(above[m] + 1, row[m - 1] + 1, above[m - 1] + (one[n - 1] === other[m - 1] ? 0 : 1));
      if (n > 1 && m > 1 && one[n - 1] === other[m - 2] && one[n - 2] === other[m - 1]) least = Math.min(least, before[m - 2] + 1);
      row.push(least);
    }
  }
  return row.at(-1);
}
