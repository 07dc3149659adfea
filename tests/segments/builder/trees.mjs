// Rules of all forms, the same ones from the same seed.

const FIELDS = [
  () => ({field: 'push_enabled', operator: 'is', value: true}),
  () => ({field: 'property', params: {name: 'city', type: 'text'}, operator: 'is_set'}),
  () => ({field: 'property', params: {name: 'city', type: 'text'}, operator: 'is_not_set', value: null}),
  () => ({field: 'country', operator: 'is_any_of', value: ['DE', 'AT']}),
  () => ({field: 'last_seen', operator: 'in_the_last', value: {count: 30, unit: 'day', zone: 'user'}}),
  () => ({
    field: 'event',
    params: {name: 'deposit', where: [{name: 'amount', type: 'number', operator: 'at_least', value: 20}]},
    operator: 'at_least',
    value: 2,
  }),
];

export function random(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}

export function rule(pick, depth = 0) {
  const form = depth > 5 ? 0 : pick(5);
  if (form < 2) return FIELDS[pick(FIELDS.length)]();
  if (form === 2) return {not: rule(pick, depth + 1)};
  return {[form === 3 ? 'all' : 'any']: Array.from({length: pick(4)}, () => rule(pick, depth + 1))};
}
