import assert from 'node:assert/strict';
import {test} from 'node:test';

import {conditionOf, matching, meant, nearest, offered, optionsFound, optionsOf, unknown} from '../../../segments/builder/finding.js';

const op = (name, shape, label = name) => ({name, label, shape});
const CORE = 'Core: push enabled, user has at least one device';
const STATUSES = [['ask', 'Ask'], ['blocked', 'Blocked'], ['not_supported', 'Browser Not Supported']];
const choices = (pairs) => pairs.map(([value, label]) => ({value, label}));
const entry = (id, label, group, kind, operators, rest = {}) => ({
  id, field: id, params: {}, label, group, kind, operators, args: [], choices: [], words: '', ...rest,
});
const ENTRIES = [
  entry('status', 'Push status of the last session', 'Core', 'choice', [op('is', 'one')], {choices: choices(STATUSES)}),
  entry('enabled', CORE, 'Core', 'boolean', [op('is', 'flag', '=')], {words: 'reachable subscribed'}),
  entry('external_id', 'External id', 'Profile', 'text', [op('is', 'one')], {words: 'email customer'}),
  entry('js_markers', 'JS markers', 'Markers', 'markers', [op('has', 'one'), op('has_any', 'many')], {words: 'tag'}),
  entry('event', 'Event', 'Events', 'count', [op('at_least', 'count')], {
    words: 'action purchase', args: [{name: 'name', label: 'Which event', kind: 'name', required: true}],
  }),
  entry('push', 'Push', 'Messages', 'count', [op('at_least', 'count')], {
    args: [{name: 'outcome', label: 'Outcome', kind: 'choice', required: true, choices: choices([['clicked', 'clicked']])}],
  }),
];
const OPTIONS = optionsOf(ENTRIES);
const labels = (typed, options = OPTIONS) => matching(options, typed).map(({label}) => label);
const pick = (typed, options = OPTIONS) => conditionOf(matching(options, typed)[0], 'x', typed);

test('a search finds by any words of label and group, in any order', () => {
  const options = [{label: 'Last seen', group: 'Profile'}, {label: 'JS markers', group: 'Markers'}];
  assert.deepEqual(matching(options, 'seen prof').map(({label}) => label), ['Last seen']);
  assert.deepEqual(matching(options, 'MARK').map(({label}) => label), ['JS markers']);
  assert.equal(matching(options, '').length, 2);
});

test('typed words mean the option of this name, else the only one that fits', () => {
  const options = ['VIP list', 'VIP list of May', 'Gone', 'Twice', 'twice'].map((label, value) => ({value, label}));
  const found = (typed) => meant(options, typed)?.label;
  assert.deepEqual([found('vip LIST '), found('may'), found('gon')], ['VIP list', 'VIP list of May', 'Gone']);
  assert.deepEqual([found('vip'), found('twice'), found('nobody'), found(' ')], [undefined, undefined, undefined, undefined]);
});

for (const typed of [
  CORE, `  ${CORE.toUpperCase()} `, `"${CORE}" = true`, 'Core: push enabled', 'core push enabled', 'enabled, push', 'reachable',
]) {
  test(`the field of push enabled is found by ${typed}`, () => {
    assert.deepEqual(labels(typed), [CORE]);
    assert.equal(meant(OPTIONS, typed)?.label, CORE);
    assert.equal(pick(typed).value, true);
  });
}

test('words that only describe a field are found by their beginnings', () => {
  assert.deepEqual(labels('cust'), ['External id']);
  assert.deepEqual(labels('ustomer'), []);
});

test('a rule that is pasted with its value keeps it', () => {
  assert.equal(pick(`${CORE} = false`).value, false);
});

test('a field is found by the values that it has, which are set when it is picked so', () => {
  assert.deepEqual(labels('blocked'), ['Push status of the last session is Blocked']);
  assert.deepEqual(pick('blocked'), {id: 'x', field: 'status', operator: 'is', value: 'blocked'});
  assert.deepEqual(labels('browser not supp'), ['Push status of the last session is Browser Not Supported']);
  assert.deepEqual(labels('click'), ['Push: clicked']);
  assert.deepEqual(pick('click').params, {outcome: 'clicked'});
});

test('what is named by the words comes before what they only describe', () => {
  const email = entry('property:email', 'email', 'Properties', 'text', [op('is', 'one')]);
  assert.deepEqual(labels('email', optionsOf([...ENTRIES, email])), ['email', 'External id']);
});

test('the list that nothing was typed into has the fields alone, each group in one place', () => {
  const late = entry('late', 'Late', 'Core', 'text', [op('is', 'one')]);
  const [first, second, ...others] = ENTRIES.map(({label}) => label);
  assert.deepEqual(labels('', optionsOf([...ENTRIES, late])), [first, second, 'Late', ...others]);
});

test('events and markers of the brand are found, and make a whole rule', () => {
  const found = optionsFound(ENTRIES, [
    {id: 'event', params: {name: 'deposit'}, label: 'deposit', group: 'Events'},
    {id: 'js_markers', value: 'DEPOSITOR', label: 'DEPOSITOR', group: 'JS markers', count: 7},
    {id: 'gone', value: 'x', label: 'deposit', group: 'Gone'},
  ]);
  const options = [...OPTIONS, ...found];
  assert.deepEqual(labels('deposit', options), ['deposit', 'DEPOSITOR']);
  assert.deepEqual(pick('deposit', options), {id: 'x', field: 'event', operator: 'at_least', value: 1, params: {name: 'deposit'}});
  assert.deepEqual(pick('depositor', options), {id: 'x', field: 'js_markers', operator: 'has', value: 'DEPOSITOR'});
  // The field alone is meant by its own name, whatever its values are.
  assert.deepEqual(labels('js mark', options), ['JS markers']);
});

test('an event that nobody has sent yet can be asked about', () => {
  const [option] = offered(ENTRIES, ' refund ');
  assert.equal(option.label, 'Event “refund”, not seen so far');
  assert.deepEqual(conditionOf(option, 'x').params, {name: 'refund'});
  assert.deepEqual(offered(ENTRIES, ' '), []);
});

test('what is named exactly comes before what begins so, and words are found by their beginnings', () => {
  const own = (id, label) => entry(id, label, 'Properties', 'text', [op('is', 'one')]);
  const options = optionsOf([own('total', 'deposit_total'), own('deposit', 'deposit'), own('country', 'Suriname')]);
  assert.deepEqual(labels('deposit', options), ['deposit', 'deposit_total']);
  assert.deepEqual(labels('deposits', options), ['deposit', 'deposit_total']);
  assert.deepEqual(labels('name', options), []);
});

test('a sentence of the help page finds its field', () => {
  assert.equal(pick('“Push status of the last session” set to “Ask”').value, 'ask');
  assert.deepEqual(labels(`${CORE} is true`), [CORE]);
});

for (const typed of [
  '!!!', 'x'.repeat(65), 'Core: push enabled, user has at least one device is true', '“Ask”', 'order placed', 'ordinary words here', 'the order placed',
]) {
  test(`no event is offered that is called ${typed.slice(0, 20)}`, () => {
    assert.deepEqual(offered(ENTRIES, typed), []);
    assert.match(unknown(typed), /^Nothing is called “.+”: .*no event\./);
  });
}

test('an unseen event is offered without the fillers around its name', () => {
  assert.deepEqual(offered(ENTRIES, 'the event order.placed').map(({params}) => params), [{name: 'order.placed'}]);
});

const near = (typed, options = OPTIONS) => nearest(options, typed).map(({label}) => label);

test('a slip finds what is nearest, what is named so before what the word only describes', () => {
  const own = (id, label) => entry(id, label, 'Properties', 'text', [op('is', 'one')]);
  const options = optionsOf([...ENTRIES, own('email', 'email'), own('orderTotal', 'orderTotal')]);
  for (const typed of ['emial', 'purchse', 'depositt', 'orderTotla']) assert.deepEqual(labels(typed, options), [], typed);
  assert.deepEqual(near('emial', options), ['email', 'External id']);
  assert.deepEqual(near('purchse', options), ['Event']);
  assert.deepEqual(near('the totla', options), ['orderTotal']);
  assert.deepEqual(near('blokced', options), ['Push status of the last session is Blocked']);
  assert.deepEqual(near('depositt', [...options, ...optionsFound(ENTRIES, [{id: 'event', params: {name: 'deposit'}, label: 'deposit', group: 'Events'}])]), ['deposit']);
  assert.deepEqual(near('refunded', options), []);
  const [first] = nearest(options, 'emial');
  assert.deepEqual([first.group, first.hint], ['Did you mean', 'Properties']);
});

test('a slip is never taken by leaving the field', () => {
  assert.equal(meant(OPTIONS, 'blokced'), undefined);
  assert.equal(meant([{value: 1, label: 'VIP list'}], 'VIP event'), undefined);
});

test('words are split at capitals, and fillers need not be there', () => {
  const own = (id, label, group) => entry(id, label, group, 'text', [op('is', 'one')]);
  const options = optionsOf([own('a', 'orderTotal', 'Properties'), own('b', 'Total spent', 'Profile')]);
  assert.deepEqual(labels('total', options), ['Total spent', 'orderTotal']);
  for (const typed of ['ordertotal', 'order total', 'the property orderTotal', 'event order_total']) assert.deepEqual(labels(typed, options), ['orderTotal'], typed);
  // A filler that is there decides among equals.
  assert.deepEqual(labels('event spent', optionsOf([own('a', 'Spent', 'Profile'), own('b', 'Spent', 'Events')])).length, 2);
  assert.equal(matching(optionsOf([own('a', 'Spent', 'Profile'), own('b', 'Spent', 'Events')]), 'event spent')[0].value, 'b');
});
