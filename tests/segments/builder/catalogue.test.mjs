import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
  blankCondition, entryOf, freshCondition, gapsOfCondition, gapsOfTree, readCatalogue, withArgument, withOperator,
} from '../../../segments/builder/catalogue.js';
import {group} from '../../../segments/builder/rules.js';

const op = (name, shape) => ({name, label: name, shape});
const TEXT = [op('is', 'one'), op('is_any_of', 'many'), op('is_set', 'none')];
const NUMBER = [op('at_least', 'number'), op('between', 'range')];
const BACK = [op('in_the_last', 'period_back'), op('on', 'day')];
const CATALOGUE = readCatalogue({
  fields: [
    {id: 'city', field: 'property', params: {name: 'city', type: 'text'}, label: 'city', operators: TEXT, args: []},
    {id: 'level', field: 'property', params: {name: 'level', type: 'number'}, label: 'level', operators: NUMBER, args: []},
    {
      id: 'event', field: 'event', params: {}, label: 'Event', operators: [op('at_least', 'count'), op('never', 'none')],
      args: [
        {name: 'name', label: 'Which event', kind: 'name', required: true},
        {name: 'within', label: 'When', kind: 'period', operators: BACK},
        {name: 'where', label: 'With properties', kind: 'where', kinds: {text: TEXT, number: NUMBER}},
      ],
    },
    {id: 'status', field: 'status', params: {}, label: 'Status', operators: TEXT, choices: [{value: 'ask', label: 'Ask'}]},
  ],
});
const [CITY, , EVENT, STATUS] = CATALOGUE.entries;
const rests = (condition) => gapsOfCondition(CATALOGUE, condition).map(({rest}) => rest);

test('a condition is of the entry whose fixed arguments it has', () => {
  assert.equal(entryOf(CATALOGUE, {field: 'property', params: {name: 'level', type: 'number'}, operator: 'between'}).id, 'level');
  assert.equal(entryOf(CATALOGUE, {field: 'event', params: {name: 'deposit'}, operator: 'never'}).id, 'event');
});

test('a property that is no longer seen keeps the operators of its type', () => {
  const entry = entryOf(CATALOGUE, {field: 'property', params: {name: 'points', type: 'number'}, operator: 'at_least'});
  assert.deepEqual([entry.label, entry.params], ['points', {name: 'points', type: 'number'}]);
  assert.deepEqual(entry.operators, NUMBER);
});

test('a field that is not offered is said to be gone', () => {
  assert.equal(entryOf(CATALOGUE, {field: 'gone', operator: 'is'}), null);
  assert.deepEqual(rests({field: 'gone', operator: 'is', value: 1}), ['.field']);
});

test('a new condition takes its first operator and says what is missing', () => {
  const city = freshCondition(CITY, 'x');
  assert.deepEqual(city, {id: 'x', field: 'property', params: {name: 'city', type: 'text'}, operator: 'is', value: ''});
  assert.deepEqual(rests(city), ['.value']);
  assert.equal(freshCondition(STATUS).value, 'ask');
  assert.equal('params' in freshCondition(STATUS), false);
  assert.deepEqual(rests(freshCondition(EVENT)), ['.params.name']);
});

test('another operator keeps what it can of the value, and none where it takes none', () => {
  const city = {...freshCondition(CITY, 'x'), value: 'Oslo'};
  const many = withOperator(CITY, city, 'is_any_of');
  assert.deepEqual(many.value, ['Oslo']);
  assert.equal(withOperator(CITY, many, 'is').value, 'Oslo');
  const set = withOperator(CITY, city, 'is_set');
  assert.equal('value' in set, false);
  assert.equal(withOperator(CITY, set, 'is').value, '');
});

test('an argument that is taken away leaves nothing behind', () => {
  const named = withArgument(freshCondition(EVENT, 'x'), 'name', 'deposit');
  assert.deepEqual(named.params, {name: 'deposit'});
  assert.equal('params' in withArgument(named, 'name', undefined), false);
});

test('arguments that are begun are to be finished', () => {
  const deposit = withArgument(freshCondition(EVENT, 'x'), 'name', 'deposit');
  assert.deepEqual(rests(deposit), []);
  assert.deepEqual(rests(withArgument(deposit, 'within', {operator: 'on', value: {date: '', zone: 'brand'}})), ['.params.within.value.date']);
  const where = (test_) => rests(withArgument(deposit, 'where', [test_]));
  assert.deepEqual(where({name: '', type: 'text', operator: 'is', value: 'x'}), ['.params.where[0].name']);
  assert.deepEqual(where({name: 'amount', type: 'number', operator: 'between', value: [1, null]}), ['.params.where[0].value[1]']);
  assert.deepEqual(where({name: 'amount', type: 'number', operator: 'at_least', value: 0}), []);
});

test('an empty group is to be filled, but an empty top one means everybody', () => {
  assert.equal(gapsOfTree(CATALOGUE, group('all')).size, 0);
  assert.equal(gapsOfTree(CATALOGUE, group('any')).size, 1);
  const inner = group('all');
  assert.deepEqual([...gapsOfTree(CATALOGUE, group('all', [inner])).keys()], [inner.id]);
});

test('a rule that is added is about nothing until somebody chooses', () => {
  const blank = blankCondition('x');
  assert.equal(entryOf(CATALOGUE, blank), null);
  assert.deepEqual(gapsOfCondition(CATALOGUE, blank), [{rest: '.field', message: 'Choose what the rule is about.'}]);
});
