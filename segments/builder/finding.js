// What typed words find: fields by their names and by other words for them, and what can be asked of a field at once (a
// status, an event, a marker). Pure: no page, no React.

import {freshCondition, operatorOf} from './catalogue.js';

const tokens = (text) => text.toLocaleLowerCase().match(/[\p{L}\p{N}]+/gu) || [];

// What a pasted rule has between a name and its value; no search is about them alone.
const BETWEEN = new Set(['is', 'set', 'to', 'equals']);

/** The words of a search; where it has no letter and no digit, what was typed. */
function searched(typed) {
  const found = tokens(typed);
  const raw = typed.trim().toLocaleLowerCase();
  if (!found.length) return raw ? [raw] : [];
  const said = found.filter((word) => !BETWEEN.has(word));
  return said.length ? said : found;
}

const singular = (word) => (word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word);

/** Whether a word of the text begins so; a plural finds the singular. */
const begins = (text, word) => [word, singular(word)].some((start) => ` ${text}`.includes(` ${start}`));

const plain = (text) => tokens(text).join(' ') || text.toLocaleLowerCase();

/** 0: it is its name; 1: its name begins so; 2: its name has all words; 3: its group or other words do; null: it does not fit. */
function rank({label, own = label, group = '', words = '', extra}, wanted) {
  const name = plain(label);
  // By the beginnings of words: no *denied* by *en*, no *Suriname* by *name*.
  const around = `${plain(group)} ${plain(words)}`;
  if (!wanted.every((word) => begins(name, word) || begins(around, word))) return null;
  const itself = plain(own);
  // Of a field's many values only those that were meant: the field itself is found by its own name.
  if (extra && !wanted.some((word) => begins(itself, word))) return null;
  if ([wanted, wanted.map(singular)].some((said) => said.join(' ') === itself)) return 0;
  if (itself.startsWith(wanted.join(' '))) return 1;
  return wanted.every((word) => begins(name, word)) ? 2 : 3;
}

/** Options that have all the words typed, whatever stands between them; those that are named so come first. */
export function matching(options, typed) {
  const wanted = searched(typed);
  if (!wanted.length) return options.filter(({extra}) => !extra);
  const ranked = options.map((option) => [rank(option, wanted), option]).filter(([at]) => at !== null);
  return ranked.sort(([one], [other]) => one - other).map(([, option]) => option);
}

/** The option that typed words mean: the one of this name, whatever the case, or the only one that fits. */
export function meant(options, typed) {
  const wanted = searched(typed);
  if (!wanted.length) return undefined;
  const name = typed.trim().toLocaleLowerCase();
  const same = options.filter(({label, own = label}) => own.toLocaleLowerCase() === name);
  if (same.length) return same.length === 1 ? same[0] : undefined;
  const found = matching(options, typed);
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

// As the API takes them; a name of many words is a sentence that was pasted.
const EVENT_NAME = /^[a-z0-9][\w.:-]*( [\w.:-]+){0,2}$/i;
const MAX_EVENT_NAME = 64;

/** What is offered where nothing fits: an event of this name, which the brand may not have seen yet. */
export function offered(entries, typed) {
  const entry = entries.find(({id}) => id === 'event');
  const name = typed.trim();
  if (!entry || name.length > MAX_EVENT_NAME || !EVENT_NAME.test(name)) return [];
  return [extra(entry, 'event not seen', {label: `Event “${name}”, not seen so far`, group: 'Events', params: {name}})];
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
