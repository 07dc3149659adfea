// A group of rules: how they are joined, the rules with the joining word between them, and what can be added.

import {useContext} from 'react';

import {blankCondition, freshCondition} from './catalogue.js';
import {Builder, Notes} from './context.js';
import {Button, Select} from './Inputs.jsx';
import {Faults, Mark, Rule, Tools, tone} from './Rule.jsx';
import {JOINS, group, isGroup} from './rules.js';

/** The `ruleGroup` control element of react-querybuilder for the top group; groups inside are drawn by this one. */
export function Group({ruleGroup, path, schema, actions, context}) {
  context.current = {schema, actions};
  return <Nested node={ruleGroup} path={path.join('-')} depth={1} last={0} />;
}

function Nested({node, path, depth, last}) {
  const {catalogue, readOnly, ops} = useContext(Builder);
  const {faults, mark, loud, full} = useContext(Notes);
  const top = path === '';
  const join = JOINS.find(({name}) => name === node.combinator) || JOINS[0];
  // `none` is two groups to the server: not, and any.
  const inner = depth + (node.combinator === 'none' ? 1 : 0);
  const deepest = catalogue.limits.depth || Infinity;
  const here = (n) => (top ? `${n}` : `${path}-${n}`);
  const own = faults(node.id);
  const count = node.rules.length;
  return (
    <section
      className={`sb-group sb-${join.name} ${tone(own.list, own.loud || loud)}`} role="group" data-node={node.id}
      aria-label={top ? `Rules: ${join.label}` : `Group: ${join.label}, ${count} ${count === 1 ? 'rule' : 'rules'}`}
      onKeyDown={top ? undefined : (event) => ops.shortcut(event, path, node.id)}
    >
      <header>
        <span className="sb-word">{top ? 'End users who match' : 'who match'}</span>
        <Select
          label="How the rules of this group are joined" className="sb-join-picker" data-first="" disabled={readOnly}
          choices={JOINS.map(({name, label}) => [name, label])} value={join.name} onChange={(name) => ops.join(path, name)}
        />
        {top ? <span className="sb-tools"><Mark mark={mark(node.id)} /></span>
          : <Tools node={node} path={path} last={last} full={full} what={`the group ${join.label}`} mark={mark(node.id)} />}
      </header>
      <div className="sb-rules">
        {node.rules.map((one, n) => {
          const said = faults(one.id);
          return [
            n > 0 && <span key={`join ${one.id}`} className="sb-join">{join.between}</span>,
            isGroup(one)
              ? <Nested key={one.id} node={one} path={here(n)} depth={inner + 1} last={count - 1} />
              : (
                <Rule
                  key={one.id} node={one} path={here(n)} last={count - 1} full={full} faults={said.list}
                  loud={said.loud || loud} mark={mark(one.id)}
                />
              ),
          ];
        })}
        {!count && (top && node.combinator === 'all' ? <Beginning path={path} /> : <p className="sb-empty">This group is empty.</p>)}
      </div>
      <Faults id={node.id} faults={own.list} loud={own.loud || loud} />
      {!readOnly && (
        <footer>
          <Button icon="add" disabled={full} onClick={() => ops.add(path, blankCondition())}>Add rule</Button>
          <Button
            icon="account_tree" disabled={full || inner + 3 > deepest}
            onClick={() => ops.add(path, group(node.combinator === 'all' ? 'any' : 'all', [blankCondition()]))}
          >
            Add group
          </Button>
          {full && <span className="sb-help">This is as many rules and groups as a segment can have.</span>}
        </footer>
      )}
    </section>
  );
}

const STARTS = [
  ['push_status_last_session', 'Their push status'],
  ['push_enabled', 'A push reaches them'],
  ['event', 'Something they did'],
  ['js_markers', 'A marker they carry'],
  ['last_seen', 'Their last visit'],
];

/** What stands in place of the rules while there are none, with ways to begin. */
function Beginning({path}) {
  const {catalogue, readOnly, ops} = useContext(Builder);
  const starts = STARTS.map(([field, label]) => [catalogue.byField.get(field)?.[0], label]).filter(([entry]) => entry);
  return (
    <div className="sb-begin">
      <p className="sb-empty">No rule yet: everybody is in the segment.</p>
      {!readOnly && (
        <>
          <p className="sb-help">Choose what the people in it have in common, or press <strong>Add rule</strong> and search for any word: an event, a property, a marker, a browser.</p>
          <p className="sb-starts">
            {starts.map(([entry, label]) => (
              <Button key={entry.id} icon="add" onClick={() => ops.add(path, freshCondition(entry))}>{label}</Button>
            ))}
          </p>
        </>
      )}
    </div>
  );
}
