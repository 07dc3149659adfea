// Values by shape: what a new one is, what of an old one can be kept, and what is still missing. Pure.

const CALENDAR = ['day', 'week', 'month'];
const FIRST_UNIT = 'day';

/** The units in which a period of this shape is given, as [name, label]. */
export function unitsFor(shape, units) {
  return shape === 'period_current' ? units.filter(([name]) => CALENDAR.includes(name)).map(one) : units;
}

const one = ([name]) => [name, name];

/** Whether whose time it is makes a difference: hours and minutes are as long everywhere. */
export function hasZone(shape, value) {
  return shape !== 'period_back' || CALENDAR.includes(value?.unit);
}

/** What an operator of this shape begins with. */
export function emptyValue(shape) {
  switch (shape) {
    case 'none': return undefined;
    case 'many': return [];
    case 'flag': return true;
    case 'count': return 1;
    case 'number': case 'segment': return null;
    case 'range': return [null, null];
    case 'period_back': return {count: 7, unit: FIRST_UNIT, zone: 'brand'};
    case 'period_current': return {unit: FIRST_UNIT, zone: 'brand'};
    case 'day': return {date: '', zone: 'brand'};
    case 'days': return {from: '', to: '', zone: 'brand'};
    default: return '';
  }
}

/** What is kept of a value when another operator is chosen. */
export function carried(value, from, to) {
  const empty = emptyValue(to);
  if (from === to) return value;
  const pair = `${from}>${to}`;
  if (pair === 'one>many') return value === '' ? empty : [value];
  if (pair === 'many>one') return value.length ? value[0] : empty;
  if (pair === 'number>range') return [value, null];
  if (pair === 'range>number') return value[0];
  if (pair === 'day>days') return {from: value.date, to: '', zone: value.zone};
  if (pair === 'days>day') return {date: value.from, zone: value.zone};
  if (value?.zone && empty?.zone) {
    const unit = value.unit && empty.unit && CALENDAR.includes(value.unit) ? {unit: value.unit} : {};
    return {...empty, ...unit, zone: value.zone};
  }
  return empty;
}

const whole = (value) => Number.isInteger(value) && value >= 1;

/** What is to be done before a value of this shape can be used, as [{rest, message}] in server's manner. */
export function gapsOfValue(shape, value) {
  const gap = (message, rest = '') => [{rest, message}];
  switch (shape) {
    case 'one': case 'choice': return String(value ?? '').trim() ? [] : gap('Give a value.');
    case 'many': return value?.length ? [] : gap('Give at least one value.');
    case 'number': return Number.isFinite(value) ? [] : gap('Give a number.');
    case 'count': return whole(value) ? [] : gap('Give a whole number from 1 on.');
    case 'segment': return value ? [] : gap('Choose a segment.');
    case 'range':
      if (!Number.isFinite(value?.[0])) return gap('Give the least number.', '[0]');
      return Number.isFinite(value[1]) ? [] : gap('Give the greatest number.', '[1]');
    case 'period_back': return whole(value?.count) ? [] : gap('Give a whole number from 1 on.', '.count');
    case 'day': return value?.date ? [] : gap('Choose a day.', '.date');
    case 'days':
      if (!value?.from) return gap('Choose the first day.', '.from');
      return value.to ? [] : gap('Choose the last day.', '.to');
    default: return [];
  }
}
