// What typed words find: fields by their names and by other words for them, and what can be asked of a field at once (a
// status, an event, a marker). Pure: no page, no React.

import {freshCondition, operatorOf} from './catalogue.js';
import {begins, isFiller, meantWords, partsOf, saidWords, singular, slipsTo, wordsOf} from './words.js';

/** The words of a search; where it has no letter and no digit, what was typed. */
function searched(typed, read) {
  const found = read(typed);
  const raw = typed.trim().toLowerCase();
  return found.length || !raw ? found : [[raw]];
}

// Lists are searched with each letter typed: what an option is found by is worked out once.
const known = new WeakMap();

function foundBy(option) {
  if (!known.has(option)) {
    const {label, own = label, group = '', words = ''} = option;
    const symbols = (text) => (partsOf(text).length ? partsOf(text) : [text.toLowerCase()]);
    const around = [...partsOf(group), ...partsOf(words)];
    known.set(option, {name: symbols(label), own: symbols(own), around, itself: plain(wordsOf(own)) || own.toLowerCase()});
  }
  return known.get(option);
}

const plain = (chunks) => chunks.flat().join(' ');
const joined = (words) => words.replaceAll(' ', '');

/** 0: it is its name; 1: its name begins so; 2: its name has all words; 3: its group or other words do; null: it does not fit. */
function rank(option, wanted, typed) {
  const {name, own, around, itself} = foundBy(option);
  // By the beginnings of words: no *denied* by *en*, no *Suriname* by *name*.
  if (!wanted.every((chunk) => begins(name, chunk) || begins(around, chunk))) return null;
  // Of a field's many values only those that were meant: the field itself is found by its own name.
  if (option.extra && !wanted.some((chunk) => begins(own, chunk))) return null;
  const said = plain(wanted);
  const same = [said, wanted.flat().map(singular).join(' '), plain(typed)].map(joined);
  if (same.includes(joined(itself))) return 0;
  if (itself.startsWith(said) || joined(itself).startsWith(joined(said))) return 1;
  return wanted.every((chunk) => begins(name, chunk)) ? 2 : 3;
}

/**
 * Options that have all the words typed, whatever stands between them; those that are named so come first, and among
 * them those that have the fillers too.
 */
export function matching(options, typed) {
  const wanted = searched(typed, meantWords);
  if (!wanted.length) return options.filter(({extra}) => !extra);
  const all = wordsOf(typed);
  const less = (option) => {
    const {name, around} = foundBy(option);
    return all.filter((chunk) => !begins(name, chunk) && !begins(around, chunk)).length;
  };
  const ranked = options.map((option) => [rank(option, wanted, all), option]).filter(([at]) => at !== null);
  return ranked.map(([at, option]) => [at, less(option), option])
    .sort(([one, here], [other, there]) => one - other || here - there).map(([, , option]) => option);
}

/** Whether the option's own name has all the words typed. */
export function isNamed(option, typed) {
  const at = option ? rank(option, searched(typed, meantWords), wordsOf(typed)) : null;
  return at !== null && at < 3;
}

const MOST_NEAR = 5;

/** Options that would have all the words typed but for a slip, the nearest first. */
export function nearest(options, typed) {
  const wanted = searched(typed, meantWords);
  const ranked = [];
  for (const option of wanted.length ? options : []) {
    const {name, own, around} = foundBy(option);
    const each = wanted.map((chunk) => slipsTo([...name, ...around], chunk));
    if (each.includes(null) || (option.extra && !wanted.some((chunk) => slipsTo(own, chunk) !== null))) continue;
    const named = wanted.every((chunk) => slipsTo(own, chunk) !== null);
    ranked.push([each.reduce((sum, slips) => sum + slips, named ? 0 : 0.5), option]);
  }
  return ranked.sort(([one], [other]) => one - other).slice(0, MOST_NEAR)
    .map(([, option]) => ({...option, group: 'Did you mean', hint: option.group}));
}

/** The option that typed words mean: the one of this name, whatever the case, or the only one that fits. */
export function meant(options, typed) {
  const wanted = searched(typed, saidWords);
  if (!wanted.length) return undefined;
  const name = typed.trim().toLowerCase();
  const same = options.filter(({label, own = label}) => own.toLowerCase() === name);
  if (same.length) return same.length === 1 ? same[0] : undefined;
  const found = options.filter((option) => rank(option, wanted, wanted) !== null);
  const fields = found.filter(({extra}) => !extra);
  const left = fields.length ? fields : found;
  return left.length === 1 ? left[0] : undefined;
}

/** Everything that the catalogue offers to pick: its fields, and behind them what each can be asked for at once. */
export function optionsOf(entries) {
  const fields = entries.map((entry) => ({
    value: entry.id,
    label: entry.label,
    group: entry.group,
    // A rule may be pasted as it is written: ... = true.
    words: `${entry.words || ''}${entry.kind === 'boolean' ? ' true false' : ''}`,
    entry,
  }));
  return [...byGroup(fields), ...entries.flatMap(valuesOf)];
}

/** Those of a group side by side, in the order in which the groups begin. */
function byGroup(fields) {
  const groups = [...new Set(fields.map(({group}) => group))];
  return groups.flatMap((name) => fields.filter(({group}) => group === name));
}

function valuesOf(entry) {
  const asked = entry.operators.find(({shape}) => shape === 'one' || shape === 'segment');
  const values = asked ? (entry.choices || []).map(({value, label}) => extra(entry, `${entry.id} ${value}`, {
    own: label, label: `${entry.label} ${asked.label} ${label}`, operator: asked.name, given: value,
  })) : [];
  const first = (entry.args || []).find(({required, choices}) => required && choices);
  const outcomes = first ? first.choices.map(({value, label}) => extra(entry, `${entry.id} ${value}`, {
    own: label, label: `${entry.label}: ${label}`, params: {[first.name]: value},
  })) : [];
  return [...values, ...outcomes];
}

function extra(entry, value, rest) {
  return {value, group: entry.group, words: entry.words || '', extra: true, entry, ...rest};
}

/** The options of what the server found among the brand's own events and markers. */
export function optionsFound(entries, found) {
  return found.flatMap(({id, params, value, label, group, count}) => {
    const entry = entries.find((one) => one.id === id);
    if (!entry) return [];
    const asked = value === undefined ? undefined : entry.operators.find(({shape}) => shape === 'one');
    const rest = {own: label, label, group, count, params, ...(asked ? {operator: asked.name, given: value} : {})};
    return [extra(entry, `${id} ${label}`, rest)];
  });
}

// As the API takes them; a name of several words is most often a phrase that was pasted.
const EVENT_NAME = /^[a-z0-9][\w.:-]*$/i;
const MAX_EVENT_NAME = 64;

/** The one name in what was typed; empty where there is none or there are several. */
function nameIn(typed) {
  const said = typed.trim().split(/\s+/u);
  const left = said.filter((word) => !isFiller(word));
  const [name, ...more] = left.length ? left : said;
  return more.length ? '' : name;
}

/** What is offered where nothing fits: an event of this name, which the brand may not have seen yet. */
export function offered(entries, typed) {
  const entry = entries.find(({id}) => id === 'event');
  const name = nameIn(typed);
  if (!entry || name.length > MAX_EVENT_NAME || !EVENT_NAME.test(name)) return [];
  return [extra(entry, 'event not seen', {label: `Event “${name}”, not seen so far`, group: 'Events', params: {name}})];
}

/** What is said where nothing fits and nothing is offered. */
export function unknown(typed) {
  const words = typed.trim();
  if (!words) return 'There is nothing to choose from.';
  const shown = words.length > 60 ? `${words.slice(0, 60)}…` : words;
  return `Nothing is called “${shown}”: no field, property or marker, and no event. For an event that is still to come, choose Event and type its name.`;
}

/** The condition that picking an option makes; `typed` may say that something is false. */
export function conditionOf(option, id, typed = '') {
  const made = freshCondition(option.entry, id);
  if (option.params) made.params = {...made.params, ...option.params};
  if (option.operator && operatorOf(option.entry, option.operator)) {
    made.operator = option.operator;
    made.value = option.given;
  }
  if (option.entry.kind === 'boolean' && /=\s*false\s*$/i.test(typed)) made.value = false;
  return made;
}
