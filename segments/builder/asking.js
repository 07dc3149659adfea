// Questions to the server: one at a time a place, the older ones given up.

import {useEffect, useRef, useState} from 'react';

const TYPING = 200; // ms until suggestions are asked for
const SETTLING = 350; // ms until a change of the rules is counted

/** Why there is no answer: `network`, `slow`, `login` or `server`, with words that say what to do. */
export class Trouble extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

const WORDS = {
  network: 'The server cannot be reached. What you built is kept on this page.',
  slow: 'These rules took too long to count. Make them narrower, or try again.',
  login: 'You are no longer logged in, or may no longer look here. Log in again in another tab, then try again.',
  server: 'The server could not answer. Try again; if it stays, tell whoever runs smartpush.',
};
const trouble = (kind, words) => new Trouble(kind, words || WORDS[kind]);

// The cookie is newer than the page's own token once somebody has logged in again in another tab.
function token() {
  const [, kept] = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [];
  return kept || document.querySelector('[name=csrfmiddlewaretoken]')?.value || '';
}

/** The JSON answer to a GET, or to a POST of `body`. Throws Trouble, or an AbortError when given up. */
export async function ask(url, {body, signal} = {}) {
  const headers = {Accept: 'application/json'};
  if (body) {
    headers['Content-Type'] = 'application/json';
    headers['X-CSRFToken'] = token();
  }
  let answer;
  try {
    answer = await fetch(url, {method: body ? 'POST' : 'GET', headers, signal, body: body && JSON.stringify(body)});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw trouble('network');
  }
  if (answer.redirected || answer.status === 403) throw trouble('login');
  let data;
  try {
    data = await answer.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw trouble(answer.status === 503 ? 'slow' : 'server');
  }
  if (answer.status === 503) throw trouble('slow', data.problems?.[0]?.message);
  if (!answer.ok && !data.problems) throw trouble('server', data.error);
  return data;
}

/** Run `work(signal)` after `delay` whenever `keys` change; the one before is given up. */
function useLatest(work, delay, keys) {
  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(() => {
      work(control.signal).catch((error) => {
        if (!control.signal.aborted) throw error;
      });
    }, delay);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, keys);
}

/** What `read` takes out of the answer of `url`, again with each address: {list, busy}; nothing without an address. */
function useListed(url, read, delay) {
  const [state, setState] = useState({list: [], busy: false, url: ''});
  useLatest(async (signal) => {
    if (!url) return;
    setState((before) => ({...before, busy: true}));
    try {
      const answer = await ask(url, {signal});
      setState({list: read(answer) || [], busy: false, url});
    } catch (error) {
      if (signal.aborted) throw error;
      // Suggestions are a help: without them a value is typed.
      setState({list: [], busy: false, url});
    }
  }, delay, [url]);
  return state;
}

/** Values to pick for what is typed, while `on`: {options, busy}. */
export function useSuggestions(base, query, typed, on) {
  const url = on && query ? `${base}values/?${new URLSearchParams({...query, q: typed})}` : '';
  const {list, busy} = useListed(url, ({values}) => values, typed ? TYPING : 0);
  return {options: list, busy};
}

const NONE = [];

/** Events and markers of the brand that have the words typed into the field picker, once two letters are: {found, busy}. */
export function useFound(base, typed) {
  const words = typed.trim();
  const url = words.length > 1 ? `${base}find/?${new URLSearchParams({q: words})}` : '';
  const {list, busy, url: answered} = useListed(url, ({found}) => found, TYPING);
  // Until the answer is there nobody may take it that nothing fits.
  return {found: url ? list : NONE, busy: url !== '' && (busy || answered !== url)};
}

/** The catalogue: {data, trouble, again}. */
export function useCatalogue(base) {
  const [state, setState] = useState({});
  const [tries, again] = useTries(state.trouble);
  useLatest(async (signal) => {
    try {
      setState({data: await ask(`${base}catalogue/`, {signal})});
    } catch (error) {
      if (signal.aborted) throw error;
      setState({trouble: error});
    }
  }, 0, [base, tries]);
  return {...state, again};
}

/** A number that grows with each try, and what starts one; a network that is back starts one by itself. */
function useTries(problem) {
  const [tries, setTries] = useState(0);
  const again = () => setTries((before) => before + 1);
  const gone = problem?.kind === 'network';
  useEffect(() => {
    if (!gone) return undefined;
    window.addEventListener('online', again);
    return () => window.removeEventListener('online', again);
  }, [gone]);
  return [tries, again];
}

/**
 * Whom the rules select, as they change: {phase, count, people, problems, trouble, again}. Phases: `waiting` (the
 * rules are not whole), `asking`, `refining` (an estimate is shown, the exact number is on its way), `done`, `failed`.
 * While `held` nothing is asked, and `held` is true of what is given.
 */
export function useCount(base, rules, whole, held) {
  const [state, setState] = useState({phase: whole ? 'asking' : 'waiting'});
  const [tries, again] = useTries(state.trouble);
  const text = JSON.stringify(rules);
  const first = useRef(true);
  useLatest(async (signal) => {
    if (!whole) {
      setState({phase: 'waiting'});
      return;
    }
    first.current = false;
    setState(({count, people}) => ({phase: 'asking', held, count, people}));
    if (held) return;
    try {
      await counted(base, rules, text, signal, setState);
    } catch (error) {
      if (signal.aborted) throw error;
      setState({phase: 'failed', trouble: error, text});
    }
  }, first.current || !whole || held ? 0 : SETTLING, [base, text, whole, held, tries]);
  return {...state, text: state.text, again};
}

async function counted(base, rules, text, signal, setState) {
  const count = await ask(`${base}count/`, {body: {rules, exact: false}, signal});
  if (count.problems) {
    setState({phase: 'waiting', problems: count.problems, text});
    return;
  }
  const estimated = count.state === 'estimate';
  setState({phase: estimated ? 'refining' : 'done', count, text});
  sampled(base, rules, signal, setState);
  if (!estimated) return;
  try {
    const exact = await ask(`${base}count/`, {body: {rules, exact: true}, signal});
    if (!exact.problems) setState((before) => ({...before, phase: 'done', count: exact}));
  } catch (error) {
    if (signal.aborted) throw error;
    setState((before) => ({...before, phase: 'done', note: error.message}));
  }
}

async function sampled(base, rules, signal, setState) {
  try {
    const {people} = await ask(`${base}sample/`, {body: {rules}, signal});
    setState((before) => ({...before, people: people || []}));
  } catch (error) {
    if (!signal.aborted) setState((before) => ({...before, people: [], withoutPeople: error.message}));
  }
}
