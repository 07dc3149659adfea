// A text field with a list under it: to pick from, and, where `free`, to type something else.

import {useEffect, useId, useMemo, useRef, useState} from 'react';

import {matching, meant} from './finding.js';

/**
 * `options` are {value, label, group?, count?}. Without `free` what is typed only narrows the list: when the field is
 * left the option of this very name is picked, or the only one that fits, else `text` is shown again. `onType` gets
 * each keystroke, `onPick` an option and what was typed, `onEnter` typed words. `fallback(typed)` gives the options
 * that are shown where none fits.
 */
export function Combo({
  label, text = '', options, onPick, onType, onEnter, onOpen, onKeyDown, free = false, filter = true, busy = false,
  placeholder = '', fallback, invalid = false, describedBy, disabled = false, className = '', nothing = 'Nothing fits', openEmpty = false, ...rest
}) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(null);
  const [active, setActive] = useState(-1);
  const list = useRef(null);
  const id = useId();
  const shown = useMemo(() => {
    if (!open) return [];
    if (!filter) return options;
    const fits = matching(options, typed || '');
    return fits.length || !fallback || busy || !typed ? fits : fallback(typed);
  }, [open, filter, typed, options, fallback, busy]);
  const at = Math.min(active, shown.length - 1);
  const visible = open && (shown.length > 0 || !(free || busy));

  useEffect(() => {
    if (open && at >= 0) list.current?.querySelector(`[data-at="${at}"]`)?.scrollIntoView({block: 'nearest'});
  }, [open, at]);

  function turn(wanted) {
    setOpen(wanted);
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
    if (!open) turn(true);
    onType?.(event.target.value);
  }
  function press(event) {
    const many = shown.length;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (event.shiftKey) return;
      event.preventDefault();
      if (!open) turn(true);
      else if (many) setActive(event.key === 'ArrowDown' ? (at + 1) % many : (at <= 0 ? many : at) - 1);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (open && at >= 0) pick(shown[at]);
      else if (onEnter) onEnter(event.target.value);
      else if (open) close();
      else if (!free) turn(true);
    } else if (event.key === 'Escape' && open) {
      event.stopPropagation();
      close();
    } else {
      onKeyDown?.(event);
    }
  }

  return (
    <span className={`sb-combo ${className}`}>
      <input
        type="text" role="combobox" className="sb-control" autoComplete="off" spellCheck="false"
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
              {Number.isFinite(option.count) && <small>{option.count.toLocaleString('en')}</small>}
            </li>,
          ])}
          {!shown.length && <li role="presentation" className="sb-list-group">{nothing}</li>}
        </ul>
      )}
    </span>
  );
}
