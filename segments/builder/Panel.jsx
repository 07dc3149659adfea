// Beside the rules: whom they select now, a few of those people, and one end user to try.

import {useEffect, useRef, useState} from 'react';

import {ask} from './asking.js';
import {Button, Icon} from './Inputs.jsx';

const PLATFORMS = {web: 'Web', android: 'Android', ios: 'iOS'};
// Shown where there are any: the halves of Ask, and people whom nothing reaches.
const FIGURES = [
  ['ask_visited', 'Ask: visited, not asked yet', 'can be asked at their next visit'],
  ['ask_never_visited', 'Ask: never visited', 'can be asked at their first visit'],
  ['never_contact', 'Never contact', 'get nothing'],
];
const number = (value) => value.toLocaleString('en');
const endUsers = (total) => `${number(total)} ${total === 1 ? 'end user' : 'end users'}`;
const percent = (share) => {
  if (share > 0 && share < 0.0001) return 'under 0.01%';
  return `${(share * 100).toLocaleString('en', {maximumFractionDigits: share < 0.01 ? 2 : 1})}%`;
};

/** The count in words, for the eye and for those who listen. */
export function countWords(count) {
  const many = count.state === 'estimate' ? `about ${number(count.selected)} ± ${number(count.error)}` : number(count.selected);
  return `${many} of ${endUsers(count.total)}`;
}

export function Panel({live, gaps, children}) {
  const {phase, count} = live;
  return (
    <aside className="sb-panel" aria-label="Who is in the segment now">
      <p className="sb-heard" role="status">{heard(live)}</p>
      <section className="sb-card" aria-busy={phase === 'asking' || phase === 'refining'}>
        <h3>In the segment now</h3>
        {phase === 'waiting' && (
          <p className="sb-note">
            {gaps ? 'Finish every rule to see how many end users they select.' : 'Fix the highlighted rules to see how many end users they select.'}
          </p>
        )}
        {phase === 'failed' && (
          <>
            <p className="sb-fault"><Icon name="error" /><span>{live.trouble.message}</span></p>
            <Button icon="refresh" onClick={live.again}>Try again</Button>
          </>
        )}
        {phase === 'asking' && (live.held
          ? <p className="sb-note">Counted once the value is picked or its field is left.</p>
          : !count && <p className="sb-note">Counting…</p>)}
        {count && phase !== 'failed' && phase !== 'waiting' && <Count count={count} phase={phase} note={live.note} />}
      </section>
      {children}
      {count && phase !== 'failed' && phase !== 'waiting' && <People live={live} />}
    </aside>
  );
}

function heard({phase, count, trouble}) {
  if (phase === 'done' || phase === 'refining') return `${countWords(count)} match.`;
  return phase === 'failed' ? trouble.message : '';
}

function Count({count, phase, note}) {
  const stale = phase === 'asking';
  const platforms = Object.entries(count.platforms || {});
  return (
    <div className={stale ? 'sb-stale' : ''}>
      <p className="sb-count">
        <strong>{count.state === 'estimate' ? `about ${number(count.selected)}` : number(count.selected)}</strong>
        {count.state === 'estimate' && <span> ± {number(count.error)}</span>}
      </p>
      <p className="sb-note">{count.total ? `${percent(count.share)} of ${endUsers(count.total)}` : 'The brand has no end users yet.'}</p>
      <meter min="0" max="1" value={count.share || 0} aria-hidden="true" />
      {count.selected === 0 && count.total > 0 && (
        <p className="sb-note">Nobody matches now. Test one end user below to see which rule leaves them out.</p>
      )}
      {count.selected > 0 && (
        <dl className="sb-figures">
          <div>
            <dt>Push enabled</dt>
            <dd>{number(count.reachable)} <small>{percent(count.reachable / count.selected)}</small></dd>
            <dd className="sb-bar"><meter min="0" max={count.selected} value={count.reachable} aria-hidden="true" /></dd>
          </div>
          {FIGURES.filter(([name]) => count[name] > 0).map(([name, label, note]) => (
            <div key={name}>
              <dt>{label}</dt>
              <dd>{number(count[name])} <small>{note}</small></dd>
              <dd className="sb-bar"><meter min="0" max={count.selected} value={count[name]} aria-hidden="true" /></dd>
            </div>
          ))}
          {platforms.map(([name, many]) => (
            <div key={name}>
              <dt>{PLATFORMS[name] || name}</dt>
              <dd>{number(many)}</dd>
              <dd className="sb-bar"><meter min="0" max={count.selected} value={many} aria-hidden="true" /></dd>
            </div>
          ))}
        </dl>
      )}
      {phase === 'refining' && <p className="sb-note">Counting exactly…</p>}
      {note && <p className="sb-note">{note}</p>}
      {count.warnings?.length > 0 && (
        <div role="status">
          <ul className="sb-warnings">
            {[...new Set(count.warnings.map(({message}) => message))].map((message) => (
              <li key={message}><Icon name="warning" /><span>{message}</span></li>
            ))}
          </ul>
        </div>
      )}
      {count.words && <p className="sb-words">{count.words}</p>}
    </div>
  );
}

function People({live: {people, withoutPeople, phase}}) {
  if (!people) return phase === 'asking' ? null : <section className="sb-card"><h3>For example</h3><p className="sb-note">Looking for a few of them…</p></section>;
  if (!people.length && !withoutPeople) return null;
  const [shared, own] = apart(people);
  return (
    <section className={`sb-card ${phase === 'asking' ? 'sb-stale' : ''}`}>
      <h3>For example</h3>
      {withoutPeople && <p className="sb-note">{withoutPeople}</p>}
      {shared && <p className="sb-note">All of them: {shared}</p>}
      <ul className="sb-people">
        {people.map((one, n) => (
          <li key={one.id}>
            <a href={one.url} target="_blank" rel="noopener">{one.name}</a>
            {own[n] && <small title={own[n]}>{own[n]}</small>}
          </li>
        ))}
      </ul>
    </section>
  );
}

// What all of these people are in the segment for, and what only some of them are, each in words.
function apart(people) {
  const words = (reasons) => reasons.join(' · ');
  const reasons = people.map((one) => one.reasons || []);
  const all = (reason) => people.length > 1 && reasons.every((those) => those.includes(reason));
  return [words((reasons[0] || []).filter(all)), reasons.map((those) => words(those.filter((reason) => !all(reason))))];
}

const show = (element, block) => element.scrollIntoView({
  block, behavior: window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
});

/** Test one end user; `evaluated` is their result while the rules are as they were. */
export function TestOne({base, rules, text, whole, evaluated, onEvaluated}) {
  const [who, setWho] = useState('');
  const [state, setState] = useState({});
  const card = useRef(null);
  // An answer is brought into view once; a change of the rules that is taken back does not do it again.
  const fresh = useRef(false);
  useEffect(() => {
    if (!fresh.current) return;
    fresh.current = false;
    show(card.current, 'nearest');
  }, [evaluated, state]);

  async function test() {
    if (!who.trim()) {
      setState({problem: 'Type the id by which your system knows the end user.'});
      return;
    }
    setState({busy: true});
    onEvaluated(null);
    try {
      const answer = await ask(`${base}evaluate/`, {body: {rules, who: who.trim()}});
      fresh.current = true;
      if (answer.problems) setState({problem: answer.problems.map(({message}) => message).join(' ')});
      else {
        setState({});
        onEvaluated({...answer, text});
      }
    } catch (error) {
      fresh.current = true;
      setState({problem: error.message});
    }
  }
  return (
    <section className="sb-card sb-test" ref={card}>
      <h3>Test one end user</h3>
      <p className="sb-try">
        <input
          type="text" className="sb-control" aria-label="Id of the end user" placeholder="Their id in your system"
          autoComplete="off" spellCheck="false" value={who} aria-invalid={state.problem ? true : undefined}
          onChange={(event) => {
            setWho(event.target.value);
            setState({});
            onEvaluated(null);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            if (whole) test();
          }}
        />
        <Button onClick={test} disabled={!whole || state.busy}>Test</Button>
      </p>
      <div role="status">
        {!whole && <p className="sb-note">First finish every rule.</p>}
        {state.busy && <p className="sb-note">Testing…</p>}
        {state.problem && <p className="sb-fault"><Icon name="error" /><span>{state.problem}</span></p>}
        {evaluated && (
          <p className={`sb-verdict ${evaluated.matches ? 'sb-yes' : 'sb-no'}`}>
            <Icon name={evaluated.matches ? 'check_circle' : 'cancel'} />
            <span>
              <a href={evaluated.end_user.url} target="_blank" rel="noopener">{evaluated.end_user.name}</a>
              {evaluated.matches ? ' is in the segment.' : ' is not in the segment.'} Each rule shows whether it is true of them.
            </span>
          </p>
        )}
        {evaluated && (
          <Button icon="arrow_upward" className="sb-quiet sb-up" onClick={() => show(card.current.closest('.sb-body'), 'start')}>
            Show the rules
          </Button>
        )}
      </div>
    </section>
  );
}
