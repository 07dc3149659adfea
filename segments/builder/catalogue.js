// What the server offers: entries (a field, perhaps with arguments set), their operators and arguments. Pure.

import {isGroup, newId, walk} from './rules.js';
import {carried, emptyValue, gapsOfValue} from './values.js';

/** The catalogue as the server sends it, with its entries found by field. */
export function readCatalogue(data) {
  const byField = new Map();
  for (const entry of data.fields) byField.set(entry.field, [...(byField.get(entry.field) || []), entry]);
  return {
    entries: data.fields,
    byField,
    units: data.units || [],
    limits: data.limits || {},
    timeZone: data.time_zone || '',
  };
}

const fixed = (entry) => Object.entries(entry.params || {});

/** The entry that a condition is of; where the brand has none (any more), one like its neighbours, or null. */
export function entryOf(catalogue, condition) {
  const params = condition.params || {};
  const siblings = catalogue.byField.get(condition.field) || [];
  const fits = siblings.filter((entry) => fixed(entry).every(([name, value]) => params[name] === value));
  if (fits.length) return fits.reduce((best, entry) => (fixed(entry).length > fixed(best).length ? entry : best));
  const shared = (entry) => fixed(entry).filter(([name, value]) => params[name] === value).length;
  const like = siblings.filter((entry) => operatorOf(entry, condition.operator));
  if (!like.length) return null;
  const model = like.reduce((best, entry) => (shared(entry) > shared(best) ? entry : best));
  const own = Object.fromEntries(fixed(model).map(([name]) => [name, params[name]]));
  const words = fixed(model).filter(([name, value]) => own[name] !== value).map(([name]) => own[name]);
  return {...model, id: `${model.field}:${words.join(' ')}`, params: own, label: words.join(' '), kept: true};
}

export function operatorOf(entry, name) {
  return entry.operators.find((one) => one.name === name);
}

function made(condition) {
  const {params, value, ...rest} = condition;
  return {
    ...rest,
    ...(Object.keys(params || {}).length ? {params} : {}),
    ...(value === undefined ? {} : {value}),
  };
}

/** A rule that is about nothing yet: what it is about is chosen by whoever adds it. */
export const blankCondition = (id = newId()) => ({id, field: '', operator: ''});

/** A new condition on an entry. */
export function freshCondition(entry, id = newId()) {
  const [operator] = entry.operators;
  const value = firstValue(entry, operator);
  return made({id, field: entry.field, params: {...entry.params}, operator: operator.name, value});
}

function firstValue(entry, operator) {
  if (operator.shape === 'one' && entry.choices?.length && entry.choices.length <= FEW) return entry.choices[0].value;
  return emptyValue(operator.shape);
}

/** So many choices stand in a list of the browser's own; more are searched. */
export const FEW = 12;

/** The condition with another operator; what can be kept of its value is. */
export function withOperator(entry, condition, name) {
  const before = operatorOf(entry, condition.operator);
  const after = operatorOf(entry, name);
  let value = before ? carried(condition.value, before.shape, after.shape) : firstValue(entry, after);
  if (value === '') value = firstValue(entry, after);
  return made({...condition, operator: name, value});
}

/** The condition with an argument; undefined takes it away. */
export function withArgument(condition, name, value) {
  const {[name]: _, ...rest} = condition.params || {};
  return made({...condition, params: value === undefined ? rest : {...rest, [name]: value}});
}

/** The argument that names something (an event), by which others are suggested. */
export const nameOf = (condition) => condition.params?.name;

/** What is to be done before a condition can be used, as [{rest, message}]. */
export function gapsOfCondition(catalogue, condition) {
  if (!condition.field) return [{rest: '.field', message: 'Choose what the rule is about.'}];
  const entry = entryOf(catalogue, condition);
  if (!entry) return [{rest: '.field', message: 'This is no longer offered here: choose something else, or remove the rule.'}];
  const found = [];
  for (const arg of entry.args || []) found.push(...gapsOfArgument(arg, condition.params?.[arg.name]));
  const operator = operatorOf(entry, condition.operator);
  if (!operator) found.push({rest: '.operator', message: `Choose how ${entry.label} is compared.`});
  else found.push(...placed('.value', gapsOfValue(operator.shape, condition.value)));
  return found;
}

const placed = (at, gaps) => gaps.map(({rest, message}) => ({rest: `${at}${rest}`, message}));

function gapsOfArgument(arg, value) {
  const at = `.params.${arg.name}`;
  if (value === undefined || value === '') {
    return arg.required ? [{rest: at, message: `${arg.label}: give one.`}] : [];
  }
  if (arg.kind === 'period') {
    const operator = arg.operators.find((one) => one.name === value.operator);
    return operator ? placed(`${at}.value`, gapsOfValue(operator.shape, value.value)) : [];
  }
  if (arg.kind !== 'where') return [];
  return value.flatMap((test, n) => {
    const here = `${at}[${n}]`;
    if (!test.name.trim()) return [{rest: `${here}.name`, message: 'Choose a property.'}];
    const operator = (arg.kinds[test.type] || []).find((one) => one.name === test.operator);
    return operator ? placed(`${here}.value`, gapsOfValue(operator.shape, test.value)) : [];
  });
}

/** What is to be done in the whole tree: id to [{rest, message}]. An empty top group means everybody. */
export function gapsOfTree(catalogue, root) {
  const found = new Map();
  for (const node of walk(root)) {
    if (!isGroup(node)) {
      const gaps = gapsOfCondition(catalogue, node);
      if (gaps.length) found.set(node.id, gaps);
    } else if (!node.rules.length && (node !== root || node.combinator !== 'all')) {
      found.set(node.id, [{rest: '', message: 'This group is empty: add a rule or remove the group.'}]);
    }
  }
  return found;
}
