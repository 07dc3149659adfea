import assert from 'node:assert/strict';
import {test} from 'node:test';

import {copy, fromJson, group, isGroup, placeOf, problemsByNode, replaced, size, toJson, walk} from '../../../segments/builder/rules.js';
import {random, rule} from './trees.mjs';

const IS = {field: 'push_enabled', operator: 'is', value: true};
const stored = (one) => ({version: 1, rule: one});
const ids = (root) => [...walk(root)].map(({id}) => id);

/** The part of the JSON that a path leads to, as the server walks it. */
function found(json, path) {
  return path.split(/[.[\]]+/).filter(Boolean).reduce((part, key) => part[key], json);
}

test('rules that nobody changes are written as they were read', () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const json = stored(rule(random(seed)));
    assert.deepEqual(toJson(fromJson(json)).rules, json, `seed ${seed}`);
  }
});

test('every node is found at the path by which the server names it', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const root = fromJson(stored(rule(random(seed))));
    const {rules, paths} = toJson(root);
    assert.deepEqual([...paths.keys()].sort(), ids(root).sort());
    for (const node of walk(root)) {
      const part = found(rules, paths.get(node.id));
      assert.ok(part, `seed ${seed}: ${paths.get(node.id)}`);
      if (!isGroup(node)) assert.deepEqual({...part, id: node.id}, node);
    }
  }
});

test('a problem belongs to the innermost rule of its path', () => {
  const root = fromJson(stored({all: [IS, {not: {any: [IS, IS]}}]}));
  const {nodes} = toJson(root);
  const [top, first, none, , second] = ids(root);
  const cases = {
    'rule.all[0].value': [first, '.value'],
    'rule.all[1].not.any[1].params.where[0].value': [second, '.params.where[0].value'],
    'rule.all[1].not': [none, ''],
    'rule.all[1].not.any': [none, '.any'],
    'rule.all[7].value': [top, '.all[7].value'],
    rule: [top, ''],
  };
  for (const [path, [id, rest]] of Object.entries(cases)) assert.deepEqual(placeOf(path, nodes), {id, rest}, path);
  assert.equal(placeOf('', nodes).id, top);
  assert.equal(placeOf('version', nodes).id, top);
  const both = problemsByNode([{path: 'rule.all[0].value', message: 'a'}, {path: 'rule.all[0]', message: 'b'}], nodes);
  assert.deepEqual(both.get(first), [{rest: '.value', message: 'a'}, {rest: '', message: 'b'}]);
});

test('none of several is not any of them, and a single negated rule gets a list when it is joined by another', () => {
  const root = group('none', [{...IS, id: 'a'}, {...IS, id: 'b'}]);
  assert.deepEqual(toJson(root).rules.rule, {not: {any: [IS, IS]}});
  const negated = fromJson(stored({not: IS}));
  const more = {...negated, rules: [...negated.rules, {...IS, id: 'c'}]};
  assert.deepEqual(toJson(more).rules.rule, {not: {any: [IS, IS]}});
});

test('a lone condition at the top stays alone until it is joined by another', () => {
  const root = fromJson(stored(IS));
  assert.deepEqual(toJson(root).rules.rule, IS);
  assert.equal(toJson(root).paths.get(root.rules[0].id), 'rule');
  assert.deepEqual(toJson({...root, rules: [...root.rules, {...IS, id: 'x'}]}).rules.rule, {all: [IS, IS]});
});

test('the size is what the server counts', () => {
  const count = (one) => 1 + [...(one.all || one.any || (one.not ? [one.not] : []))].reduce((sum, part) => sum + count(part), 0);
  for (let seed = 1; seed <= 200; seed += 1) {
    const json = rule(random(seed));
    const root = fromJson(stored(json));
    const alone = root.bare && root.combinator === 'all';
    assert.equal(size(root), count(json) + (alone ? 1 : 0), `seed ${seed}`);
  }
});

test('a copy shares no id with what it was made from', () => {
  const root = fromJson(stored({all: [IS, {any: [IS]}]}));
  const twin = copy(root);
  assert.deepEqual(toJson(twin).rules, toJson(root).rules);
  assert.ok(ids(twin).every((id) => !ids(root).includes(id)));
});

test('replacing a rule leaves the others the same objects', () => {
  const root = fromJson(stored({all: [IS, {any: [IS, IS]}]}));
  const [first, any] = root.rules;
  const changed = {...any.rules[0], value: false};
  const after = replaced(root, changed.id, changed);
  assert.equal(after.rules[0], first);
  assert.equal(after.rules[1].rules[0], changed);
  assert.equal(after.rules[1].rules[1], any.rules[1]);
  assert.equal(replaced(root, 'nobody', changed), root);
});

test('what is no rule is refused', () => {
  for (const wrong of [null, 5, {}, {rule: {}}, {rule: {all: [5]}}, {rule: {all: [{operator: 'is'}]}}]) {
    assert.throws(() => fromJson(wrong));
  }
});
