// The flow editor: cards of activities in order. It keeps the flow as JSON in the form's hidden field; the server checks it.

const KINDS = {
  popup: { title: 'Popup', icon: 'ad_units' },
  push: { title: 'Push', icon: 'notifications' },
  delay: { title: 'Delay', icon: 'hourglass_top' },
  stop: { title: 'Stop', icon: 'stop_circle' },
};
const UNITS = [[86400, 'days'], [3600, 'hours'], [60, 'minutes'], [1, 'seconds']];
const TARGETS = [['all', 'All'], ['web', 'Web'], ['native', 'Native apps']];
const DAY = 86400;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== false));
  return made;
}

function icon(name) {
  return element('span', { class: 'material-symbols-outlined', 'aria-hidden': 'true' }, name);
}

function splitSeconds(seconds) {
  for (const [unit] of UNITS) if (seconds && seconds % unit === 0) return [seconds / unit, unit];
  return [seconds || 1, seconds ? 1 : DAY];
}

class FlowEditor {
  constructor(root, input, config, value) {
    Object.assign(this, { root, input, config });
    const flow = typeof value === 'string' ? JSON.parse(value || '{}') : value;
    this.activities = Array.isArray(flow?.activities) ? flow.activities : [];
    const start = this.activities.findIndex((activity) => activity.key === flow.start);
    if (start > 0) this.activities.unshift(...this.activities.splice(start, 1));
    this.status = element('p', { class: 'flow-unseen', role: 'status' });
    this.list = element('ol', { class: 'flow-list', 'aria-label': 'Activities' });
    this.root.replaceChildren(this.list, this.adders(), this.status);
    this.render();
  }

  // --- the flow as data ---
  save() {
    const flow = this.activities.length
      ? { version: 1, start: this.activities[0].key, activities: this.activities }
      : {};
    this.input.value = JSON.stringify(flow);
  }

  freeKey() {
    const taken = new Set(this.activities.map((activity) => activity.key));
    let number = 1;
    while (taken.has(`a${number}`)) number += 1;
    return `a${number}`;
  }

  add(kind) {
    const key = this.freeKey();
    const made = { key, kind };
    if (kind === 'popup') {
      Object.assign(made, { popup: this.only('popups'), timeout: null, next: {} });
      for (const { value } of this.config.outcomes) made.next[value] = null;
    } else if (kind === 'push') {
      Object.assign(made, { push: this.only('pushes'), target_devices: 'all', next: null });
    } else if (kind === 'delay') {
      Object.assign(made, { seconds: DAY, next: null });
    }
    const last = this.activities.at(-1);
    if (last?.kind === 'popup' && Object.values(last.next || {}).every((target) => !target)) {
      last.next = { ...last.next, allowed: key };
    } else if (last && last.kind !== 'popup' && last.kind !== 'stop' && !last.next) {
      last.next = key;
    }
    this.activities.push(made);
    this.render();
    this.say(`${KINDS[kind].title} added as activity ${this.activities.length}.`);
    this.list.lastElementChild.querySelector('select, input, button')?.focus();
  }

  only(name) {
    return this.config[name].length === 1 ? this.config[name][0].id : null;
  }

  remove(index) {
    const [gone] = this.activities.splice(index, 1);
    const onward = typeof gone.next === 'string' && gone.next !== gone.key ? gone.next : null;
    for (const activity of this.activities) {
      if (activity.next === gone.key) activity.next = onward;
      else if (activity.next && typeof activity.next === 'object') {
        for (const outcome of Object.keys(activity.next)) {
          if (activity.next[outcome] === gone.key) activity.next[outcome] = onward;
        }
      }
    }
    this.render();
    this.say(`Activity ${index + 1} removed.`);
    (this.list.children[Math.max(0, index - 1)]?.querySelector('select, input, button') || this.firstAdder)?.focus();
  }

  move(index, by) {
    const to = index + by;
    if (to < 0 || to >= this.activities.length) return;
    this.activities.splice(to, 0, ...this.activities.splice(index, 1));
    this.render();
    this.say(`Moved to place ${to + 1}.`);
    const card = this.list.children[to];
    const again = card.querySelector(by < 0 ? '[data-move=up]' : '[data-move=down]');
    (again.disabled ? card.querySelector('[data-move]:not([disabled])') : again)?.focus();
  }

  name(activity) {
    const place = this.activities.indexOf(activity) + 1;
    const resources = { popup: this.config.popups, push: this.config.pushes }[activity.kind];
    const found = resources?.find(({ id }) => id === activity[activity.kind]);
    return `${place}. ${KINDS[activity.kind]?.title || activity.kind}${found ? `: ${found.name}` : ''}`;
  }

  // --- the flow as cards ---
  say(text) {
    this.status.textContent = text;
  }

  changed() {
    this.save();
    // Names of activities appear in the ways of the others; the field that has the focus stays in place.
    for (const select of this.list.querySelectorAll('select[data-way]')) this.fillWays(select);
  }

  render() {
    this.list.replaceChildren(...this.activities.map((activity, index) => this.card(activity, index)));
    if (!this.activities.length) {
      this.list.append(element('li', { class: 'sp-empty' }, element('p', {}, 'No activity yet. Add a popup or a push below.')));
    }
    const general = this.config.problems.filter(({ key }) => !key);
    if (general.length) this.list.prepend(element('li', {}, this.problems(general)));
    for (const field of this.root.querySelectorAll('select, input, button')) {
      if (!this.config.may_write) field.disabled = true;
    }
    this.changed();
  }

  card(activity, index) {
    const { title, icon: symbol } = KINDS[activity.kind] || { title: activity.kind, icon: 'help' };
    const place = index + 1;
    const problems = this.config.problems.filter(({ key }) => key === activity.key);
    const heading = `flow-${activity.key}`;
    const button = (label, symbolName, attributes) =>
      element('button', { type: 'button', class: 'flow-icon-button', 'aria-label': `${label} activity ${place}`, title: label, ...attributes }, icon(symbolName));
    return element(
      'li',
      { class: `flow-card${problems.length ? ' flow-wrong' : ''}`, 'aria-labelledby': heading },
      element(
        'div',
        { class: 'flow-head' },
        element('span', { class: 'sp-step-number' }, String(place)),
        icon(symbol),
        element('h3', { id: heading }, title),
        button('Move up', 'arrow_upward', { 'data-move': 'up', disabled: index === 0, onclick: () => this.move(index, -1) }),
        button('Move down', 'arrow_downward', { 'data-move': 'down', disabled: place === this.activities.length, onclick: () => this.move(index, 1) }),
        button('Remove', 'delete', { onclick: () => this.remove(index) }),
      ),
      element('div', { class: 'flow-body' }, problems.length ? this.problems(problems) : null, ...this.fields(activity)),
    );
  }

  problems(found) {
    return element('ul', { class: 'flow-problems', role: 'alert' }, ...found.map(({ message }) => element('li', {}, message)));
  }

  fields(activity) {
    if (activity.kind === 'popup') {
      return [
        this.resource(activity, 'Popup', this.config.popups, this.config.popup_add),
        this.patience(activity),
        this.ways(activity),
      ];
    }
    if (activity.kind === 'push') {
      return [
        this.resource(activity, 'Push', this.config.pushes, this.config.push_add),
        this.field('Target devices', this.select(TARGETS, activity.target_devices || 'all', (value) => { activity.target_devices = value; })),
        this.way(activity, 'Then'),
      ];
    }
    if (activity.kind === 'delay') return [this.duration(activity, 'seconds', 'Waits'), this.way(activity, 'Then')];
    return [element('p', { class: 'sp-note' }, 'The journey ends here.')];
  }

  field(label, control, ...more) {
    this.count = (this.count || 0) + 1;
    control.id = `flow-field-${this.count}`;
    return element('div', { class: 'flow-field' }, element('label', { for: control.id }, label), control, ...more);
  }

  select(options, value, onchange, attributes = {}) {
    const made = element(
      'select',
      { class: 'sp-select', ...attributes, onchange: (event) => { onchange(event.target.value); this.changed(); } },
      ...options.map(([key, label]) => element('option', { value: key }, label)),
    );
    made.value = String(value ?? '');
    return made;
  }

  resource(activity, label, choices, addUrl) {
    const options = [['', `Choose a ${label.toLowerCase()}`], ...choices.map(({ id, name }) => [String(id), name])];
    const control = this.select(options, activity[activity.kind], (value) => {
      activity[activity.kind] = value ? Number(value) : null;
    });
    const link = choices.length ? null : element('a', { class: 'flow-link', href: addUrl }, `Create the first ${label.toLowerCase()}`);
    return this.field(label, control, link);
  }

  // As long as the popup itself says, or a time of this activity's own.
  patience(activity) {
    const own = activity.timeout ? 'own' : '';
    const field = this.field('Waits for an answer', this.select([['', 'As long as the popup says'], ['own', 'A time of its own']], own, (value) => {
      activity.timeout = value ? DAY : null;
      field.replaceWith(this.patience(activity));
    }));
    if (own) field.append(this.duration(activity, 'timeout', 'For').querySelector('.flow-pair'));
    return field;
  }

  duration(activity, name, label) {
    const [number, unit] = splitSeconds(activity[name]);
    const count = element('input', { class: 'sp-input', type: 'number', min: '1', step: '1', value: String(number), required: true });
    const units = this.select(UNITS.map(([key, text]) => [String(key), text]), unit, () => {}, { 'aria-label': `${label}: unit` });
    const update = () => {
      activity[name] = Math.max(0, Math.round(Number(count.value) || 0)) * Number(units.value);
      this.save();
    };
    count.addEventListener('input', update);
    units.addEventListener('change', update);
    const field = this.field(label, count);
    field.append(element('div', { class: 'flow-pair' }, count, units));
    return field;
  }

  fillWays(select) {
    const own = select.dataset.way;
    const value = select.dataset.value || '';
    const options = [['', 'End of the journey'], ...this.activities.filter(({ key }) => key !== own).map((activity) => [activity.key, this.name(activity)])];
    select.replaceChildren(...options.map(([key, label]) => element('option', { value: key }, label)));
    if (value && !options.some(([key]) => key === value)) select.append(element('option', { value }, 'An activity that is gone'));
    select.value = value;
  }

  waySelect(activity, value, onchange) {
    const select = element('select', {
      class: 'sp-select',
      'data-way': activity.key,
      'data-value': value || '',
      onchange: (event) => { event.target.dataset.value = event.target.value; onchange(event.target.value || null); this.changed(); },
    });
    this.fillWays(select);
    return select;
  }

  way(activity, label) {
    return this.field(label, this.waySelect(activity, activity.next, (value) => { activity.next = value; }));
  }

  ways(activity) {
    activity.next = activity.next && typeof activity.next === 'object' ? activity.next : {};
    return element(
      'fieldset',
      { class: 'flow-ways' },
      element('legend', {}, 'What follows which answer'),
      ...this.config.outcomes.map(({ value, label }) =>
        element('label', {}, label, this.waySelect(activity, activity.next[value], (target) => { activity.next[value] = target; }))),
    );
  }

  adders() {
    const row = element('div', { class: 'flow-add', role: 'group', 'aria-label': 'Add an activity' });
    for (const [kind, { title, icon: symbol }] of Object.entries(KINDS)) {
      row.append(element('button', { type: 'button', class: 'sp-button', onclick: () => this.add(kind) }, icon(symbol), `Add ${title.toLowerCase()}`));
    }
    this.firstAdder = row.firstElementChild;
    return row;
  }
}

const root = document.getElementById('flow-editor');
const input = root && document.getElementById(root.dataset.input);
if (root && input) {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  new FlowEditor(root, input, read('flow-config'), read('flow-value'));
}
