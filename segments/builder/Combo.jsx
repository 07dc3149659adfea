// A text field with a list under it: to pick from, and, where `free`, to type something else.

import {useEffect, useId, useLayoutEffect, useMemo, useRef, useState} from 'react';

import {isNamed, matching, meant, nearest} from './finding.js';
import {place, showBeside} from './placing.js';

/**
 * `options` are {value, label, group?, hint?, count?}. Without `free` what is typed only narrows the list: when the
 * field is left the option of this very name is picked, or the only one that fits, else `text` is shown again. `onType`
 * gets each keystroke, `onPick` an option and what was typed, `onEnter` typed words. `fallback(typed, options)` gives
 * the options that are shown where none fits, `nothing(typed)` the sentence where there are none either.
 *
 * Keys are those of the combobox with list autocomplete (WAI-ARIA Authoring Practices): Enter takes the highlighted
 * option, Tab one that the arrows went to and moves on, Escape closes the list and takes nothing.
 */
export function Combo({
  label, text = '', options, onPick, onType, onEnter, onOpen, onKeyDown, free = false, filter = true, busy = false,
  placeholder = '', fallback = nearby, invalid = false, describedBy, disabled = false, className = '',
  nothing = () => 'Nothing fits.', openEmpty = false, ...rest
}) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(null);
  const [active, setActive] = useState(-1);
  // Whether the highlighted option was gone to, and not only comes first.
  const [chosen, setChosen] = useState(false);
  // Enter came before the answer of the server: the first option is taken when it is there.
  const [waiting, setWaiting] = useState(false);
  const list = useRef(null);
  const input = useRef(null);
  const id = useId();
  const shown = useMemo(() => {
    if (!open) return [];
    if (!filter) return options;
    const fits = matching(options, typed || '');
    return fits.length || busy || !typed ? fits : fallback(typed, options);
  }, [open, filter, typed, options, fallback, busy]);
  const at = Math.min(active, shown.length - 1);
  const visible = open && (shown.length > 0 || !(free || busy));

  useEffect(() => {
    if (open && at >= 0) list.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({block: 'nearest'});
  }, [open, at]);

  useLayoutEffect(() => (visible ? showBeside(list.current, input.current) : undefined), [visible]);
  useLayoutEffect(() => {
    if (visible) place(list.current, input.current);
  }, [visible, shown]);
  useEffect(() => {
    if (!waiting || busy) return;
    setWaiting(false);
    if (open && shown.length) pick(shown[Math.max(0, at)]);
  }, [waiting, busy, shown]);

  function turn(wanted) {
    setOpen(wanted);
    setChosen(false);
    setWaiting(false);
    if (wanted !== open) setActive(wanted && !free ? Math.max(0, options.findIndex((one) => one.label === text)) : -1);
    onOpen?.(wanted);
  }
  function close() {
    turn(false);
    setTyped(null);
  }
  function pick(option) {
    close();
    onPick(option, typed || '');
  }
  function leave() {
    const option = free || !typed ? undefined : meant(options, typed);
    if (option) pick(option);
    else close();
  }
  function type(event) {
    setTyped(event.target.value);
    setActive(free ? -1 : 0);
    setChosen(false);
    setWaiting(false);
    if (!open) turn(true);
    onType?.(event.target.value);
  }
  function press(event) {
    const many = shown.length;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (event.shiftKey) return;
      event.preventDefault();
      if (!open) {
        turn(true);
      } else if (event.altKey) {
        if (event.key === 'ArrowUp') close();
      } else if (many) {
        setActive(event.key === 'ArrowDown' ? (at + 1) % many : (at <= 0 ? many : at) - 1);
        setChosen(true);
      }
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // What is found only by other words for it may not be what is meant: the server may know the very name.
      if (open && busy && typed && !free && !chosen && !isNamed(shown[at], typed)) setWaiting(true);
      else if (open && at >= 0) pick(shown[at]);
      else if (onEnter) onEnter(event.target.value);
      else if (open && (free || !typed)) close();
      else if (!open && !free) turn(true);
    } else if (event.key === 'Tab' && open && chosen && at >= 0 && !event.altKey && !event.ctrlKey && !event.metaKey) {
      pick(shown[at]);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else {
      onKeyDown?.(event);
    }
  }

  return (
    <span className={`sb-combo ${className}`}>
      <input
        ref={input} type="text" role="combobox" className="sb-control" autoComplete="off" spellCheck="false"
        aria-label={label} aria-expanded={visible} aria-controls={visible ? id : undefined} aria-autocomplete="list"
        aria-activedescendant={open && at >= 0 ? `${id}-${at}` : undefined}
        aria-invalid={invalid || undefined} aria-describedby={describedBy} disabled={disabled}
        placeholder={free ? placeholder : text || placeholder} value={free ? text : typed ?? text}
        onChange={type} onKeyDown={press} onBlur={leave}
        onFocus={free ? undefined : (event) => {
          event.target.select();
          // Nothing is chosen yet: the list is what the field is entered for.
          if (!text && openEmpty && !open) turn(true);
        }}
        onClick={() => { if (!open) turn(true); }}
        {...rest}
      />
      {visible && (
        <ul
          className="sb-list" role="listbox" id={id} ref={list} aria-label={`${label}: to pick from`} aria-busy={busy}
          popover="manual" tabIndex={-1} onMouseDown={(event) => event.preventDefault()}
        >
          {shown.map((option, n) => [
            option.group && option.group !== shown[n - 1]?.group && (
              <li key={`group ${n}`} role="presentation" className="sb-list-group">{option.group}</li>
            ),
            <li
              key={`${option.value}`} role="option" id={`${id}-${n}`} data-at={n} aria-selected={n === at}
              onMouseDown={(event) => event.preventDefault()} onClick={() => pick(option)}
            >
              <span>{option.label}</span>
              {option.hint && <small>{option.hint}</small>}
              {Number.isFinite(option.count) && <small>{option.count.toLocaleString('en')}</small>}
            </li>,
          ])}
          {!shown.length && <li role="option" aria-disabled="true" aria-selected="false" className="sb-list-none">{nothing(typed || '')}</li>}
        </ul>
      )}
      {visible && !shown.length && <span className="sb-heard" aria-live="polite">{nothing(typed || '')}</span>}
    </span>
  );
}

const nearby = (typed, options) => nearest(options, typed);
