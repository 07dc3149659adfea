// One rule, which reads like a sentence: what, how, with which value, and what the arguments say.

import {memo, useContext, useMemo, useState} from 'react';

import {useFound} from './asking.js';
import {entryOf, operatorOf, withArgument, withOperator} from './catalogue.js';
import {Combo} from './Combo.jsx';
import {Builder} from './context.js';
import {Argument, ValueEditor} from './Editors.jsx';
import {conditionOf, nearest, offered, optionsFound, unknown} from './finding.js';
import {Button, Icon, Select} from './Inputs.jsx';
import {afterClick} from './leaving.js';

const LATE = ['period', 'where'];
const NONE = [];

/** `faults` are [{rest, message}]; `loud`: they are mistakes, not only things that are still to be done. */
export const Rule = memo(Plain, (before, after) => (
  before.node === after.node && before.path === after.path && before.mark === after.mark && before.loud === after.loud
  && before.last === after.last && before.full === after.full
  && JSON.stringify(before.faults) === JSON.stringify(after.faults)
));

function Plain({node, path, last, full, faults: found, loud, mark}) {
  const {catalogue, readOnly, ops} = useContext(Builder);
  const [left, setLeft] = useState(false);
  // A rule that has just been added is no fault of anybody's until it is left.
  const faults = node.field || left || loud ? found : NONE;
  const entry = entryOf(catalogue, node);
  const operator = entry && operatorOf(entry, node.operator);
  const bad = (at) => loud && faults.some(({rest}) => rest && (rest.startsWith(at) || at.startsWith(rest)));
  const name = entry ? entry.label : node.field || 'not chosen yet';
  const args = entry?.args || [];
  const early = args.filter((arg) => !LATE.includes(arg.kind));
  const late = args.filter((arg) => LATE.includes(arg.kind));
  const argument = (arg) => (
    <Argument
      key={arg.name} {...{arg, entry, bad}} condition={node} disabled={readOnly}
      onChange={(value) => ops.put(withArgument(node, arg.name, value))}
    />
  );
  return (
    <div
      className={`sb-rule ${tone(faults, loud)} ${mark === undefined ? '' : 'sb-marked'} ${readOnly ? 'sb-still' : ''}`} role="group" aria-label={`Rule: ${name}`} data-node={node.id}
      aria-describedby={faults.length ? `${node.id}-fault` : undefined}
      onKeyDown={(event) => ops.shortcut(event, path, node.id)}
      onBlur={(event) => {
        // A window that is left for another one keeps its place.
        if (document.hasFocus() && !event.currentTarget.contains(event.relatedTarget)) afterClick(() => setLeft(true));
      }}
    >
      <div className="sb-sentence">
        <span className="sb-room" aria-hidden="true" />
        <FieldPicker entry={entry} node={node} invalid={bad('.field')} />
        {early.map(argument)}
        {entry && (entry.operators.length > 1 || !operator
          ? (
            <Select
              label={`How ${name} is compared`} className="sb-operator" value={node.operator} disabled={readOnly}
              invalid={bad('.operator')} onChange={(wanted) => ops.put(withOperator(entry, node, wanted))}
              choices={[...(operator ? [] : [[node.operator, 'Choose…']]), ...entry.operators.map((one) => [one.name, one.label])]}
            />
          )
          : <span className="sb-word sb-operator">{operator.label}</span>)}
        {operator && (
          <ValueEditor
            label={name} shape={operator.shape} kind={entry.kind} value={node.value} choices={entry.choices}
            query={entry.suggest ? {id: entry.id, arg: 'value'} : null} disabled={readOnly}
            bad={(rest) => bad(`.value${rest}`)} onChange={(value) => ops.put({...node, value})}
          />
        )}
        {late.map(argument)}
      </div>
      <Tools node={node} path={path} last={last} full={full} what={`the rule ${name}`} mark={mark} />
      {entry?.help && <p className="sb-help">{entry.help}</p>}
      <Faults id={node.id} faults={faults} loud={loud} />
    </div>
  );
}

export const tone = (faults, loud) => (faults.length ? (loud ? 'sb-bad' : 'sb-todo') : '');

export function Faults({id, faults, loud}) {
  if (!faults.length) return null;
  return (
    <p className="sb-fault" id={`${id}-fault`}>
      <Icon name={loud ? 'error' : 'edit'} />
      <span>{[...new Set(faults.map(({message}) => message))].join(' ')}</span>
    </p>
  );
}

/** Whether the end user who was asked about meets it. */
export function Mark({mark}) {
  if (mark === undefined) return null;
  return (
    <span className={`sb-mark ${mark ? 'sb-yes' : 'sb-no'}`}>
      <Icon name={mark ? 'check_circle' : 'cancel'} />
      {mark ? 'true' : 'not true'}
    </span>
  );
}

/** Moving, copying, removing. `last`: how many stand beside it. */
export function Tools({node, path, last, full, what, mark}) {
  const {readOnly, ops} = useContext(Builder);
  const steps = path.split('-');
  const top = steps.length === 1;
  return (
    <span className="sb-tools">
      <Mark mark={mark} />
      {!readOnly && (
        <>
          <Button icon="arrow_upward" label={`Move ${what} up`} data-move="up" disabled={top && steps[0] === '0'} onClick={() => ops.move(path, 'up', node.id)} />
          <Button icon="arrow_downward" label={`Move ${what} down`} data-move="down" disabled={top && Number(steps[0]) === last} onClick={() => ops.move(path, 'down', node.id)} />
          <Button icon="content_copy" label={`Duplicate ${what}`} disabled={full} onClick={() => ops.duplicate(path, node)} />
          <Button icon="delete" className="sb-remove" label={`Remove ${what}`} onClick={() => ops.remove(path)} />
        </>
      )}
    </span>
  );
}

function FieldPicker({entry, node, invalid}) {
  const {base, catalogue, readOnly, ops} = useContext(Builder);
  const [typed, setTyped] = useState('');
  const {found, busy} = useFound(base, typed);
  const options = useMemo(
    () => [...catalogue.options, ...optionsFound(catalogue.entries, found)], [catalogue, found],
  );
  return (
    <Combo
      label="What the rule is about" className="sb-field sb-pick" data-first="" text={entry ? entry.label : node.field}
      options={options} placeholder="Search any word" invalid={invalid} disabled={readOnly} openEmpty busy={busy}
      nothing={unknown} onType={setTyped}
      fallback={(words, all) => [...nearest(all, words), ...offered(catalogue.entries, words)]}
      onOpen={(open) => { if (!open) setTyped(''); }}
      onPick={(option, words) => {
        if (option.entry !== entry || option.extra) ops.put(conditionOf(option, node.id, words));
      }}
    />
  );
}
