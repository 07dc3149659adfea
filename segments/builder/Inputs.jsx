// The small controls that editors are made of.

import {useContext, useEffect, useState} from 'react';

import {useSuggestions} from './asking.js';
import {FEW} from './catalogue.js';
import {Combo} from './Combo.jsx';
import {Builder} from './context.js';

export function Icon({name}) {
  return <span className="material-symbols-outlined" aria-hidden="true">{name}</span>;
}

export function Button({icon, label, children, className = '', ...rest}) {
  return (
    <button
      type="button" className={`${children ? 'sb-button' : 'sb-icon'} ${className}`}
      aria-label={label} title={children ? undefined : label} {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** `choices` are [value, label] pairs of text. */
export function Select({label, choices, value, onChange, invalid, className = '', ...rest}) {
  return (
    <select
      className={`sb-control ${className}`} aria-label={label} aria-invalid={invalid || undefined} value={value}
      onChange={(event) => onChange(event.target.value)} {...rest}
    >
      {choices.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
    </select>
  );
}

/** A number or null; what is half typed stays as it is. */
export function NumberInput({label, value, onChange, whole = false, invalid, ...rest}) {
  const [text, setText] = useState(value ?? '');
  const read = (words) => (words.trim() === '' || !Number.isFinite(Number(words)) ? null : Number(words));
  useEffect(() => {
    if (read(String(text)) !== value) setText(value ?? '');
  }, [value]);
  return (
    <input
      type="number" className="sb-control sb-number" aria-label={label} aria-invalid={invalid || undefined}
      step={whole ? 1 : 'any'} min={whole ? 1 : undefined} value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(read(event.target.value));
      }}
      {...rest}
    />
  );
}

export function DayInput({label, value, onChange, invalid, ...rest}) {
  return (
    <input
      type="date" className="sb-control sb-day" aria-label={label} aria-invalid={invalid || undefined} value={value}
      onChange={(event) => onChange(event.target.value)} {...rest}
    />
  );
}

const labelOf = (choices, value) => choices.find((one) => String(one.value) === String(value))?.label;

/** One of the catalogue's choices: a list of the browser's own for a few, a search among many. */
export function Choice({label, choices, value, none, onChange, ...rest}) {
  const known = labelOf(choices, value);
  const gone = value !== undefined && value !== null && value !== '' && known === undefined;
  const act = (wanted) => onChange(choices.find((one) => String(one.value) === wanted)?.value);
  if (choices.length > FEW) {
    const options = none ? [{value: '', label: none}, ...choices] : choices;
    return (
      <Combo
        label={label} className="sb-pick" text={known ?? (gone ? `${value} (no longer there)` : none || '')} options={options}
        placeholder="Search" onPick={(option) => act(String(option.value))} {...rest}
      />
    );
  }
  const listed = choices.map((one) => [String(one.value), one.label]);
  if (gone) listed.unshift([String(value), `${value} (no longer there)`]);
  if (none || !(known || gone)) listed.unshift(['', none || 'Choose…']);
  return <Select label={label} choices={listed} value={String(value ?? '')} onChange={act} {...rest} />;
}

/** Text with suggestions of the server's for `query`. What is half typed is not counted: one of these may be meant. */
export function Suggested({query, value, onChange, onPick, ...rest}) {
  const {base, hold} = useContext(Builder);
  const [open, setOpen] = useState(false);
  const [typing, setTyping] = useState(false);
  const {options, busy} = useSuggestions(base, query, value, open);
  const half = open && typing && (busy || options.length > 0) && !options.some((one) => String(one.value) === value);
  useEffect(() => {
    if (!half) return undefined;
    hold(true);
    return () => hold(false);
  }, [half, hold]);
  return (
    <Combo
      free filter={false} text={value} options={options} busy={busy}
      onOpen={(wanted) => {
        setOpen(wanted);
        if (!wanted) setTyping(false);
      }}
      onType={(text) => {
        setTyping(true);
        onChange(text);
      }}
      onPick={(option) => (onPick ? onPick(option) : onChange(option.value))} {...rest}
    />
  );
}

/** Several values: each is a tag; Enter or a comma adds what is typed, Backspace takes the last away. */
export function Tags({label, values, onChange, query, choices = [], tidy = (word) => word, invalid, disabled, ...rest}) {
  const {base} = useContext(Builder);
  const [typed, setTyped] = useState('');
  const [open, setOpen] = useState(false);
  const found = useSuggestions(base, choices.length ? null : query, typed, open);
  const options = (choices.length ? choices : found.options).filter((one) => !values.includes(one.value));

  function add(words) {
    const listed = choices.length ? words.map((word) => choices.find((one) => one.value === word)?.value) : words.map(tidy);
    const fresh = [...new Set(listed)].filter((word) => word && !values.includes(word));
    setTyped('');
    if (fresh.length) onChange([...values, ...fresh]);
  }
  const split = (text) => text.split(/[,\n]/).map((word) => word.trim()).filter(Boolean);

  return (
    <span className="sb-tags sb-control" role="group" aria-label={label} aria-invalid={invalid || undefined}>
      {values.map((value) => (
        <span className="sb-tag" key={value}>
          {labelOf(choices, value) ?? value}
          {!disabled && (
            <button
              type="button" aria-label={`Remove ${labelOf(choices, value) ?? value}`}
              onClick={() => onChange(values.filter((one) => one !== value))}
            >×</button>
          )}
        </span>
      ))}
      {!disabled && (
        <Combo
          label={`${label}: add a value`} free={!choices.length} filter={choices.length > 0} text={typed}
          options={options} busy={found.busy} onOpen={setOpen} invalid={invalid}
          placeholder={values.length ? '' : choices.length ? 'Search' : 'Type, then Enter'}
          onType={(text) => (!choices.length && /[,\n]/.test(text) ? add(split(text)) : setTyped(text))}
          onPick={(option) => add([option.value])}
          onEnter={choices.length ? undefined : (text) => add(split(text))}
          onKeyDown={(event) => {
            if (event.key === 'Backspace' && !event.target.value && values.length) onChange(values.slice(0, -1));
          }}
          // Something typed and left without Enter counts too.
          onBlurCapture={(event) => { if (!choices.length) add(split(event.target.value)); }}
          {...rest}
        />
      )}
    </span>
  );
}
