// The flow editor: cards of activities in order. It keeps the flow as JSON in the form's hidden field; the server checks
// it. It knows no activity by name: titles, branches and settings come from the catalogue (campaigns/admin/catalogue.py),
// and each setting is drawn by the widget that it names.

const VERSION = 2;
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

class FlowEditor {
  constructor(root, input, config, value) {
    Object.assign(this, { root, input, config, catalogue: config.catalogue });
    const flow = typeof value === 'string' ? JSON.parse(value || '{}') : value;
    this.activities = Array.isArray(flow?.activities) ? flow.activities : [];
    const start = this.activities.findIndex((activity) => activity.key === flow.start);
    if (start > 0) this.activities.unshift(...this.activities.splice(start, 1));
    this.status = element('p', { class: 'flow-unseen', role: 'status' });
    this.list = element('ol', { class: 'flow-list', 'aria-label': 'Activities' });
    this.root.replaceChildren(this.list, this.adders(), this.status);
    this.render();
    // A push or popup that was made in another tab can be chosen here at once.
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.refresh());
  }

  async refresh() {
    if (!this.config.catalogue_url) return;
    const answer = await fetch(this.config.catalogue_url, { headers: { Accept: 'application/json' } }).catch(() => null);
    const known = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!known) return; // logged out or offline: what the page came with still holds
    this.catalogue = known;
    for (const select of this.list.querySelectorAll('select[data-resources]')) this.fillResources(select);
    this.changed();
  }

  kind(activity) {
    return this.catalogue.activities.find(({ name }) => name === activity.kind);
  }

  settings(activity) {
    activity.settings ??= {};
    return activity.settings;
  }

  // --- the flow as data ---
  save() {
    const flow = this.activities.length
      ? { version: VERSION, start: this.activities[0].key, activities: this.activities }
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
    const made = { key, kind: kind.name, settings: {}, next: {} };
    for (const setting of kind.settings) {
      made.settings[setting.name] = setting.resources ? this.only(setting.resources) : setting.default;
      if (setting.widget === 'duration' && !setting.default && !setting.empty) made.settings[setting.name] = DAY;
    }
    const last = this.activities.at(-1);
    const [first] = (last && this.kind(last)?.branches) || [];
    if (last) last.next ??= {};
    if (first && Object.values(last.next).every((target) => !target)) last.next[first.id] = key;
    this.activities.push(made);
    this.render();
    this.say(`${kind.title} added as activity ${this.activities.length}.`);
    this.list.lastElementChild.querySelector('select, input, button')?.focus();
  }

  only(name) {
    const { choices } = this.catalogue.resources[name];
    return choices.length === 1 ? choices[0].id : null;
  }

  remove(index) {
    const [gone] = this.activities.splice(index, 1);
    const branches = this.kind(gone)?.branches || [];
    const only = branches.length === 1 ? gone.next?.[branches[0].id] : null;
    const onward = only && only !== gone.key ? only : null;
    for (const { next = {} } of this.activities) {
      for (const outcome of Object.keys(next)) {
        if (next[outcome] === gone.key) next[outcome] = onward;
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
    const kind = this.kind(activity);
    const setting = kind?.settings.find(({ resources }) => resources);
    const choices = setting ? this.catalogue.resources[setting.resources].choices : [];
    const found = choices.find(({ id }) => id === this.settings(activity)[setting.name]);
    return `${place}. ${kind?.title || activity.kind}${found ? `: ${found.name}` : ''}`;
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
      this.list.append(element('li', { class: 'sp-empty' }, element('p', {}, 'No activity yet. Add the first one below.')));
    }
    const general = this.config.problems.filter(({ key }) => !key);
    if (general.length) this.list.prepend(element('li', {}, this.problems(general)));
    for (const field of this.root.querySelectorAll('select, input, button')) {
      if (!this.config.may_write) field.disabled = true;
    }
    this.changed();
  }

  card(activity, index) {
    const { title, icon: symbol } = this.kind(activity) || { title: activity.kind, icon: 'help' };
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
    const kind = this.kind(activity);
    if (!kind) return [];
    const draw = {
      text: this.text, number: this.number, duration: this.duration, choice: this.choice, resource: this.resource,
    };
    const settings = kind.settings.map((setting) => draw[setting.widget].call(this, activity, setting));
    if (kind.ends) return [...settings, element('p', { class: 'sp-note' }, 'The journey ends here.')];
    return [...settings, kind.branches.length > 1 ? this.ways(activity, kind) : this.way(activity, kind)];
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

  // --- the widgets ---
  text(activity, setting) {
    return this.typed(activity, setting, { type: 'text', maxlength: setting.most || null }, (value) => value);
  }

  number(activity, setting) {
    const bounds = { type: 'number', min: setting.least, max: setting.most, step: '1' };
    return this.typed(activity, setting, bounds, (value) => (value === '' ? null : Math.round(Number(value))));
  }

  typed(activity, setting, attributes, read) {
    const settings = this.settings(activity);
    const control = element('input', {
      class: 'sp-input',
      value: settings[setting.name] ?? '',
      required: !setting.empty,
      placeholder: setting.empty,
      oninput: (event) => { settings[setting.name] = read(event.target.value); this.save(); },
      ...attributes,
    });
    return this.field(setting.label, control);
  }

  choice(activity, setting) {
    const settings = this.settings(activity);
    const options = setting.choices.map(({ value, label }) => [value, label]);
    return this.field(setting.label, this.select(options, settings[setting.name] ?? setting.default, (value) => {
      settings[setting.name] = value;
    }));
  }

  resource(activity, setting) {
    const settings = this.settings(activity);
    const control = this.select([], '', (value) => { settings[setting.name] = value ? Number(value) : null; }, {
      'data-resources': setting.resources,
      'data-noun': setting.label.toLowerCase(),
    });
    const field = this.field(setting.label, control);
    this.fillResources(control, settings[setting.name]);
    return field;
  }

  fillResources(select, chosen = select.value) {
    const { resources, noun } = select.dataset;
    const { choices, add_url: addUrl } = this.catalogue.resources[resources];
    const options = [['', `Choose a ${noun}`], ...choices.map(({ id, name }) => [String(id), name])];
    const value = String(chosen ?? '');
    if (value && !options.some(([key]) => key === value)) options.push([value, `A ${noun} that is gone or archived`]);
    select.replaceChildren(...options.map(([key, label]) => element('option', { value: key }, label)));
    select.value = value;
    select.parentElement.querySelector('.flow-link')?.remove();
    if (!choices.length) select.after(element('a', { class: 'flow-link', href: addUrl }, `Create the first ${noun}`));
  }

  // Where the setting may be left out, a length of its own is asked for only when it is wanted.
  duration(activity, setting) {
    const settings = this.settings(activity);
    if (!setting.empty) return this.lengthOf(activity, setting, setting.label);
    const own = settings[setting.name] ? 'own' : '';
    const field = this.field(setting.label, this.select([['', setting.empty], ['own', 'A time of its own']], own, (value) => {
      settings[setting.name] = value ? DAY : null;
      field.replaceWith(this.duration(activity, setting));
    }));
    if (own) field.append(this.lengthOf(activity, setting, 'For').querySelector('.flow-pair'));
    return field;
  }

  lengthOf(activity, setting, label) {
    const settings = this.settings(activity);
    const [number, unit] = this.splitSeconds(settings[setting.name]);
    const count = element('input', { class: 'sp-input', type: 'number', min: '1', step: '1', value: String(number), required: true });
    const units = this.select(this.catalogue.units.map((one) => [String(one.seconds), one.label]), unit, () => {}, { 'aria-label': `${label}: unit` });
    const update = () => {
      settings[setting.name] = Math.max(0, Math.round(Number(count.value) || 0)) * Number(units.value);
      this.save();
    };
    count.addEventListener('input', update);
    units.addEventListener('change', update);
    const field = this.field(label, count);
    field.append(element('div', { class: 'flow-pair' }, count, units));
    return field;
  }

  splitSeconds(seconds) {
    const unit = this.catalogue.units.find((one) => seconds && seconds % one.seconds === 0);
    return unit ? [seconds / unit.seconds, unit.seconds] : [seconds || 1, seconds ? 1 : DAY];
  }

  // --- the ways on ---
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

  way(activity, { branches: [{ id, label }] }) {
    activity.next ??= {};
    return this.field(label, this.waySelect(activity, activity.next[id], (target) => { activity.next[id] = target; }));
  }

  ways(activity, { branches }) {
    activity.next ??= {};
    return element(
      'fieldset',
      { class: 'flow-ways' },
      element('legend', {}, 'What happens next'),
      ...branches.map(({ id, label }) =>
        this.field(label, this.waySelect(activity, activity.next[id], (target) => { activity.next[id] = target; }))),
    );
  }

  adders() {
    const row = element('div', { class: 'flow-add', role: 'group', 'aria-label': 'Add an activity' });
    for (const kind of this.catalogue.activities) {
      row.append(element('button', { type: 'button', class: 'sp-button', onclick: () => this.add(kind) }, icon(kind.icon), `Add ${kind.title.toLowerCase()}`));
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
