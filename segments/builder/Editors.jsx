// Value editors by shape, and arguments by kind.

import {useContext} from 'react';

import {FEW, nameOf} from './catalogue.js';
import {Builder} from './context.js';
import {Button, Choice, DayInput, NumberInput, Select, Suggested, Tags} from './Inputs.jsx';
import {carried, emptyValue, hasZone, unitsFor} from './values.js';

const UPPER = 'markers';

/**
 * The editor of one value. `bad(rest)` says whether the server or we find fault there; `query` is what suggestions
 * are asked for by, or null.
 */
export function ValueEditor({label, shape, kind, value, choices = [], query, onChange, bad, disabled}) {
  const {catalogue} = useContext(Builder);
  const common = {disabled, invalid: bad('')};
  const tidy = kind === UPPER ? (text) => text.toUpperCase() : (text) => text;
  const set = (part) => onChange({...value, ...part});
  const zone = hasZone(shape, value) && <Zone value={value?.zone} onChange={(wanted) => set({zone: wanted})} disabled={disabled} />;
  switch (shape) {
    case 'none': return null;
    case 'flag':
      return (
        <Select
          label={label} choices={[['true', 'true'], ['false', 'false']]} value={value ? 'true' : 'false'}
          onChange={(answer) => onChange(answer === 'true')} {...common}
        />
      );
    case 'many':
      return choices.length && choices.length <= FEW
        ? <Checks label={label} choices={choices} values={value} onChange={onChange} {...common} />
        : <Tags label={label} values={value} choices={choices} query={query} tidy={tidy} onChange={onChange} {...common} />;
    case 'number': return <NumberInput label={label} value={value} onChange={onChange} {...common} />;
    case 'count':
      return (
        <span className="sb-keep">
          <NumberInput label={label} whole value={value} onChange={onChange} {...common} />
          <span className="sb-word">{value === 1 ? 'time' : 'times'}</span>
        </span>
      );
    case 'range':
      return (
        <>
          <NumberInput label={`${label}, least`} value={value[0]} disabled={disabled} invalid={bad('[0]') || bad('')} onChange={(low) => onChange([low, value[1]])} />
          <span className="sb-word">and</span>
          <NumberInput label={`${label}, greatest`} value={value[1]} disabled={disabled} invalid={bad('[1]') || bad('')} onChange={(high) => onChange([value[0], high])} />
        </>
      );
    case 'segment':
      return <Choice label={label} choices={choices} value={value} onChange={(wanted) => onChange(Number(wanted) || null)} {...common} />;
    case 'period_back':
      return (
        <>
          <NumberInput label={`${label}: how many`} whole value={value.count} onChange={(count) => set({count})} disabled={disabled} invalid={bad('.count')} />
          <Select label={`${label}: unit`} choices={unitsFor(shape, catalogue.units)} value={value.unit} onChange={(unit) => set({unit})} disabled={disabled} />
          {zone}
        </>
      );
    case 'period_current':
      return (
        <>
          <Select label={`${label}: unit`} choices={unitsFor(shape, catalogue.units)} value={value.unit} onChange={(unit) => set({unit})} disabled={disabled} />
          {zone}
        </>
      );
    case 'day':
      return (
        <>
          <DayInput label={`${label}: day`} value={value.date} onChange={(date) => set({date})} disabled={disabled} invalid={bad('.date')} />
          {zone}
        </>
      );
    case 'days':
      return (
        <>
          <DayInput label={`${label}: first day`} value={value.from} onChange={(from) => set({from})} disabled={disabled} invalid={bad('.from')} />
          <span className="sb-word">and</span>
          <DayInput label={`${label}: last day`} value={value.to} onChange={(to) => set({to})} disabled={disabled} invalid={bad('.to')} />
          {zone}
        </>
      );
    default:
      return choices.length
        ? <Choice label={label} choices={choices} value={value} onChange={(wanted) => onChange(wanted ?? '')} {...common} />
        : <Suggested label={label} className="sb-text" value={value} query={query} placeholder="Value" onChange={(text) => onChange(tidy(text))} {...common} />;
  }
}

function Zone({value = 'brand', onChange, disabled}) {
  const {catalogue} = useContext(Builder);
  const choices = [['brand', "brand's time"], ['user', "end user's own time"]];
  return (
    <Select
      label="Whose time counts" className="sb-zone" title={`The brand's time is ${catalogue.timeZone}`} choices={choices}
      value={value} onChange={onChange} disabled={disabled}
    />
  );
}

function Checks({label, choices, values, onChange, disabled, invalid}) {
  const toggle = (value, on) => onChange(
    choices.map((one) => one.value).filter((one) => (one === value ? on : values.includes(one))),
  );
  return (
    <span className="sb-checks" role="group" aria-label={label} aria-invalid={invalid || undefined}>
      {choices.map((one) => (
        <label key={one.value}>
          <input
            type="checkbox" checked={values.includes(one.value)} disabled={disabled}
            onChange={(event) => toggle(one.value, event.target.checked)}
          />
          {one.label}
        </label>
      ))}
    </span>
  );
}

/** The editor of one argument of a condition. */
export function Argument({arg, entry, condition, onChange, bad, disabled}) {
  const value = condition.params?.[arg.name];
  const at = `.params.${arg.name}`;
  const common = {disabled, invalid: bad(at)};
  if (arg.kind === 'period') return <Period arg={arg} value={value} onChange={onChange} bad={(rest) => bad(`${at}.value${rest}`)} disabled={disabled} />;
  if (arg.kind === 'where') return <Where arg={arg} entry={entry} condition={condition} onChange={onChange} bad={(rest) => bad(`${at}${rest}`)} disabled={disabled} />;
  if (arg.choices) {
    return <Choice label={arg.label} choices={arg.choices} value={value} none={arg.required ? '' : `${arg.label}: any`} onChange={(wanted) => onChange(wanted === '' ? undefined : wanted)} {...common} />;
  }
  const query = arg.suggest === false ? null : {id: entry.id, arg: arg.name, ...nameQuery(condition)};
  return <Suggested label={arg.label} className="sb-text" placeholder={arg.label} value={value ?? ''} query={query} onChange={(text) => onChange(text === '' ? undefined : text)} {...common} />;
}

const nameQuery = (condition) => (nameOf(condition) ? {name: nameOf(condition)} : {});

function Period({arg, value, onChange, bad, disabled}) {
  const operator = arg.operators.find((one) => one.name === value?.operator);
  const choices = [['', 'ever'], ...arg.operators.map((one) => [one.name, one.label])];
  function choose(name) {
    const wanted = arg.operators.find((one) => one.name === name);
    if (!wanted) onChange(undefined);
    else onChange({operator: name, value: operator ? carried(value.value, operator.shape, wanted.shape) : emptyValue(wanted.shape)});
  }
  return (
    <span className="sb-part">
      <Select label={arg.label} choices={choices} value={value?.operator || ''} onChange={choose} disabled={disabled} />
      {operator && (
        <ValueEditor
          label={arg.label} shape={operator.shape} kind="date" value={value.value} bad={bad} disabled={disabled}
          onChange={(wanted) => onChange({...value, value: wanted})}
        />
      )}
    </span>
  );
}

const TYPES = {text: 'text', number: 'number', boolean: 'true or false', date: 'date'};

function Where({arg, entry, condition, onChange, bad, disabled}) {
  const tests = condition.params?.[arg.name] || [];
  const set = (list) => onChange(list.length ? list : undefined);
  const put = (n, test) => set(tests.map((one, m) => (m === n ? test : one)));
  return (
    <span className="sb-where">
      {tests.map((test, n) => (
        <WhereRow
          key={n} first={n === 0} number={n + 1} {...{arg, entry, condition, test, disabled}} bad={(rest) => bad(`[${n}]${rest}`)}
          onChange={(wanted) => put(n, wanted)} onRemove={() => set(tests.filter((_, m) => m !== n))}
        />
      ))}
      {!disabled && (
        <Button
          icon="filter_alt" className="sb-quiet"
          onClick={() => onChange([...tests, {name: '', type: 'text', operator: arg.kinds.text[0].name, value: ''}])}
        >
          {tests.length ? 'And another property' : arg.label}
        </Button>
      )}
    </span>
  );
}

function WhereRow({arg, entry, condition, test, number, first, onChange, onRemove, bad, disabled}) {
  const operators = arg.kinds[test.type] || [];
  const operator = operators.find((one) => one.name === test.operator);
  const what = test.name || `property ${number}`;
  const query = {id: entry.id, ...nameQuery(condition)};

  function retype(name, type) {
    if (type === test.type || !arg.kinds[type]) {
      onChange({...test, name});
      return;
    }
    const wanted = arg.kinds[type][0];
    onChange(kept({name, type, operator: wanted.name, value: emptyValue(wanted.shape)}));
  }
  function operate(name) {
    const wanted = operators.find((one) => one.name === name);
    const value = operator ? carried(test.value, operator.shape, wanted.shape) : emptyValue(wanted.shape);
    onChange(kept({...test, operator: name, value}));
  }
  return (
    <span className="sb-part" role="group" aria-label={`Property ${number}`}>
      <span className="sb-word">{first ? 'with' : 'and'}</span>
      <Suggested
        label={`Property ${number}`} className="sb-text" placeholder="Property" value={test.name} disabled={disabled}
        query={{...query, arg: arg.name}} invalid={bad('.name')} onChange={(name) => onChange({...test, name})}
        onPick={(option) => retype(option.value, option.type)}
      />
      <Select
        label={`Type of ${what}`} className="sb-type" choices={Object.keys(arg.kinds).map((type) => [type, TYPES[type] || type])}
        value={test.type} onChange={(type) => retype(test.name, type)} disabled={disabled} invalid={bad('.type')}
      />
      <Select
        label={`How ${what} is compared`} choices={operators.map((one) => [one.name, one.label])} value={test.operator}
        onChange={operate} disabled={disabled} invalid={bad('.operator')}
      />
      {operator && (
        <ValueEditor
          label={`Value of ${what}`} shape={operator.shape} kind={test.type} value={test.value} disabled={disabled}
          bad={(rest) => bad(`.value${rest}`)} query={{...query, arg: `${arg.name}_value`, property: test.name}}
          onChange={(value) => onChange({...test, value})}
        />
      )}
      {!disabled && <Button icon="close" label={`Remove the condition on ${what}`} onClick={onRemove} />}
    </span>
  );
}

// An operator without a value has none in the JSON.
function kept({value, ...test}) {
  return value === undefined ? test : {...test, value};
}
