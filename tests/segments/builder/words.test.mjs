import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {begins, meantWords, partsOf, slipsTo} from '../../../segments/builder/words.js';

const CASES = JSON.parse(readFileSync(new URL('words.json', import.meta.url)));

for (const [text, parts] of CASES.parts) {
  test(`the words of ${text}`, () => assert.deepEqual(partsOf(text), parts));
}
for (const [typed, words] of CASES.meant) {
  test(`what is meant by “${typed}”`, () => assert.deepEqual(meantWords(typed), words));
}
for (const [name, typed, found] of CASES.begins) {
  test(`${typed} ${found ? 'finds' : 'does not find'} ${name}`, () => assert.equal(begins(partsOf(name), meantWords(typed)[0]), found));
}
for (const [name, typed, slips] of CASES.slips) {
  test(`${typed} is ${slips ?? 'many'} slips from ${name}`, () => assert.equal(slipsTo(partsOf(name), meantWords(typed)[0]), slips));
}
