// The segment's rule builder: react-querybuilder keeps the tree, the controls are ours (docs/adr/0007).

import {useEffect, useMemo, useRef, useState} from 'react';
import {createRoot} from 'react-dom/client';
import {QueryBuilder} from 'react-querybuilder';

import {useCatalogue, useCount} from './asking.js';
import {gapsOfTree, readCatalogue} from './catalogue.js';
import {Builder, Notes} from './context.js';
import {optionsOf} from './finding.js';
import {Group} from './Group.jsx';
import {Button, Icon} from './Inputs.jsx';
import {Panel, TestOne} from './Panel.jsx';
import {JOINS, copy, fromJson, group, problemsByNode, replaced, size, toJson, walk} from './rules.js';

const CONTROLS = {ruleGroup: Group};
const NOTHING = {list: [], loud: false};

function Loaded({host, hidden, data, initial}) {
  const base = host.dataset.base;
  const readOnly = 'readonly' in host.dataset;
  const root = useRef(null);
  const handle = useRef(null);
  const focus = useRef(null);
  const [query, setQuery] = useState(initial);
  const [loud, setLoud] = useState(hidden.getAttribute('aria-invalid') === 'true');
  const [evaluated, setEvaluated] = useState(null);
  const [held, hold] = useState(false);

  const catalogue = useMemo(() => {
    const read = readCatalogue(data);
    return {...read, options: optionsOf(read.entries)};
  }, [data]);
  const written = useMemo(() => toJson(query), [query]);
  const text = useMemo(() => JSON.stringify(written.rules), [written]);
  const gaps = useMemo(() => gapsOfTree(catalogue, query), [catalogue, query]);
  const live = useCount(base, written.rules, gaps.size === 0, held);
  const problems = useMemo(
    () => (live.problems && live.text === text ? problemsByNode(live.problems, written.nodes) : new Map()),
    [live.problems, live.text, text, written],
  );
  const marks = useMemo(() => {
    if (!evaluated || evaluated.text !== text) return new Map();
    return new Map([...written.paths].map(([id, path]) => [id, evaluated.checks[path]]));
  }, [evaluated, text, written]);

  const notes = useMemo(() => ({
    loud,
    full: size(query) >= (catalogue.limits.rules || Infinity),
    faults: (id) => {
      if (problems.has(id)) return {list: problems.get(id), loud: true};
      return gaps.has(id) ? {list: gaps.get(id), loud: false} : NOTHING;
    },
    mark: (id) => marks.get(id),
  }), [loud, query, catalogue, gaps, problems, marks]);

  const ops = useMemo(() => operations(handle, focus), []);
  const shared = useMemo(() => ({base, catalogue, readOnly, ops, hold}), [base, catalogue, readOnly, ops]);

  useEffect(() => {
    if (hidden.value !== text && query !== initial) {
      hidden.value = text;
      hidden.dispatchEvent(new Event('change', {bubbles: true}));
    }
    if (focus.current) {
      const {id, part} = focus.current;
      focus.current = null;
      const node = root.current.querySelector(`[data-node="${id}"]`);
      const found = [...(node?.querySelectorAll(part) || []), ...(node?.querySelectorAll('[data-first]') || [])];
      found.find((one) => !one.disabled)?.focus();
    }
  }, [query, text]);

  // A form that is sent back to be mended begins at the first fault; so does a Save that would be.
  const first = useRef(loud);
  const faulty = useRef(null);
  faulty.current = () => [...walk(query)].find(({id}) => problems.has(id) || gaps.has(id));
  useEffect(() => {
    if (first.current && (gaps.size || problems.size)) {
      first.current = false;
      focusFault(root.current, faulty.current());
    }
  }, [gaps, problems]);
  useEffect(() => {
    const form = host.closest('form');
    if (!form || readOnly) return undefined;
    const check = (event) => {
      const node = faulty.current();
      if (!node) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      setLoud(true);
      // The marks are drawn first.
      setTimeout(() => focusFault(root.current, node));
    };
    form.addEventListener('submit', check, true);
    return () => form.removeEventListener('submit', check, true);
  }, []);
  useEffect(() => {
    if (loud && !gaps.size && !problems.size && live.phase !== 'asking') setLoud(false);
  }, [loud, gaps, problems, live.phase]);

  return (
    <Builder.Provider value={shared}>
      <Notes.Provider value={notes}>
        <div className="sb-body" ref={root} onKeyDown={keepForm}>
          <div className="sb-main">
            <QueryBuilder
              defaultQuery={initial} onQueryChange={setQuery} controlElements={CONTROLS} combinators={JOINS}
              enableMountQueryChange={false} disabled={readOnly} context={handle}
            />
            {!readOnly && <p className="sb-help sb-keys">Alt and Shift with ↑ or ↓ move the rule that you are in.</p>}
          </div>
          <Panel live={live} gaps={gaps.size > 0}>
            <TestOne
              base={base} rules={written.rules} text={text} whole={gaps.size === 0 && problems.size === 0}
              evaluated={evaluated?.text === text ? evaluated : null} onEvaluated={setEvaluated}
            />
          </Panel>
        </div>
      </Notes.Provider>
    </Builder.Provider>
  );
}

const steps = (path) => (path === '' ? [] : path.split('-').map(Number));

function at(root, path) {
  return steps(path).reduce((node, n) => node.rules[n], root);
}

/** Changes of the tree, by react-querybuilder's own actions; `focus` says where the keyboard goes on after each. */
function operations(handle, focus) {
  const go = (id, part = '[data-first]') => { focus.current = {id, part}; };
  const ops = {
    put(node) {
      const {schema} = handle.current;
      schema.dispatchQuery(replaced(schema.getQuery(), node.id, node));
    },
    join(path, name) {
      handle.current.actions.onPropChange('combinator', name, steps(path));
    },
    add(path, node) {
      const {actions} = handle.current;
      go((node.rules ? node.rules[0] : node).id);
      if (node.rules) actions.onGroupAdd(node, steps(path));
      else actions.onRuleAdd(node, steps(path));
    },
    duplicate(path, node) {
      const {schema} = handle.current;
      const twin = copy(node);
      const parent = at(schema.getQuery(), path.split('-').slice(0, -1).join('-'));
      const n = steps(path).at(-1);
      go(twin.id);
      ops.put({...parent, rules: [...parent.rules.slice(0, n + 1), twin, ...parent.rules.slice(n + 1)]});
    },
    remove(path) {
      const {schema, actions} = handle.current;
      const parent = at(schema.getQuery(), path.split('-').slice(0, -1).join('-'));
      const n = steps(path).at(-1);
      go((parent.rules[n + 1] || parent.rules[n - 1] || parent).id);
      actions.onRuleRemove(steps(path));
    },
    move(path, way, id) {
      go(id, `[data-move="${way}"]`);
      handle.current.actions.moveRule(steps(path), way);
    },
    shortcut(event, path, id) {
      // With Shift: Alt and ↓ alone open lists.
      if (!event.altKey || !event.shiftKey || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      ops.move(path, event.key === 'ArrowUp' ? 'up' : 'down', id);
    },
  };
  return ops;
}

// Enter adds, picks and toggles here; it does not send the form.
function keepForm(event) {
  if (event.key === 'Enter' && event.target.tagName === 'INPUT') event.preventDefault();
}

function focusFault(root, node) {
  const element = node && root.querySelector(`[data-node="${node.id}"]`);
  const target = element?.querySelector('[aria-invalid="true"]:is(input, select)')
    || element?.querySelector('[aria-invalid="true"] input') || element?.querySelector('input, select, button');
  target?.focus();
  target?.scrollIntoView({block: 'center'});
}

function App({host, hidden, initial}) {
  const {data, trouble, again} = useCatalogue(host.dataset.base);
  if (data) return <Loaded host={host} hidden={hidden} data={data} initial={initial} />;
  if (!trouble) return <p className="sb-note" role="status">The rules are being read…</p>;
  return (
    <div className="sb-card" role="alert">
      <p className="sb-fault"><Icon name="error" /><span>{trouble.message}</span></p>
      <Button icon="refresh" onClick={again}>Try again</Button>
    </div>
  );
}

function read(hidden) {
  try {
    return fromJson(JSON.parse(hidden.value));
  } catch {
    return group('all');
  }
}

// A page that is left asks first once something has changed in its form.
function guard(form) {
  let changed = false;
  const note = (event) => {
    if (event.target.name) changed = true;
  };
  form.addEventListener('input', note);
  form.addEventListener('change', note);
  form.addEventListener('submit', () => { changed = false; });
  window.addEventListener('beforeunload', (event) => {
    if (changed) event.preventDefault();
  });
}

function start(host) {
  const hidden = host.querySelector('[data-rules]');
  const form = host.closest('form');
  if (form && !('readonly' in host.dataset)) guard(form);
  createRoot(host.querySelector('[data-root]')).render(<App host={host} hidden={hidden} initial={read(hidden)} />);
}

const begin = () => document.querySelectorAll('[data-segment-builder]').forEach(start);
if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
else begin();
