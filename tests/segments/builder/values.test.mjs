import assert from 'node:assert/strict';
import {test} from 'node:test';

import {carried, emptyValue, gapsOfValue, hasZone, unitsFor} from '../../../segments/builder/values.js';

const SHAPES = [
  'one', 'many', 'none', 'number', 'count', 'range', 'flag', 'period_back', 'period_current', 'day', 'days', 'segment',
];
const WHOLE = {
  one: 'x', many: ['x'], number: 0, count: 2, range: [1, 2], flag: false, segment: 5,
  period_back: {count: 3, unit: 'hour', zone: 'user'}, period_current: {unit: 'week', zone: 'user'},
  day: {date: '2026-12-01', zone: 'user'}, days: {from: '2026-12-01', to: '2026-12-24', zone: 'user'},
};

test('whole values have nothing missing', () => {
  for (const [shape, value] of Object.entries(WHOLE)) assert.deepEqual(gapsOfValue(shape, value), [], shape);
  assert.deepEqual(gapsOfValue('none', undefined), []);
});

test('new values that need something typed say so', () => {
  for (const shape of ['one', 'many', 'number', 'range', 'day', 'days', 'segment']) {
    assert.equal(gapsOfValue(shape, emptyValue(shape)).length, 1, shape);
  }
  for (const value of [0, -1, 1.5, null]) assert.equal(gapsOfValue('count', value).length, 1, `${value}`);
});

test('whatever is carried from one shape to another is of the other shape', () => {
  const form = (value) => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value === 'object' ? Object.keys(value).sort().join() : typeof value);
  for (const from of SHAPES) {
    for (const to of SHAPES) {
      const value = carried(WHOLE[from], from, to);
      const allowed = [form(emptyValue(to)), form(WHOLE[to])];
      assert.ok(allowed.includes(form(value)), `${from} to ${to}: ${JSON.stringify(value)}`);
    }
  }
});

test('a period keeps whose time it is and a unit that both know', () => {
  assert.deepEqual(carried(WHOLE.period_current, 'period_current', 'period_back'), {count: 7, unit: 'week', zone: 'user'});
  assert.deepEqual(carried(WHOLE.period_back, 'period_back', 'period_current'), {unit: 'day', zone: 'user'});
  assert.deepEqual(carried(WHOLE.day, 'day', 'days'), {from: '2026-12-01', to: '', zone: 'user'});
});

test('only calendar units have whose time, and make a current period', () => {
  const units = [['minute', 'minutes'], ['hour', 'hours'], ['day', 'days'], ['week', 'weeks'], ['month', 'months']];
  assert.deepEqual(unitsFor('period_current', units).map(([name]) => name), ['day', 'week', 'month']);
  assert.deepEqual(unitsFor('period_back', units), units);
  assert.equal(hasZone('period_back', {unit: 'hour'}), false);
  assert.equal(hasZone('period_back', {unit: 'day'}), true);
  assert.equal(hasZone('day', WHOLE.day), true);
});
