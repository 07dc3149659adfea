// The rule editor: nested groups of conditions, kept in a hidden field as the JSON that segments/rules.py reads.
(() => {
  'use strict';

  const DEBOUNCE = 350;
  const GROUPS = [
    ['all', 'all of these'],
    ['any', 'at least one of these'],
    ['none', 'none of these'],
  ];

  function make(tag, options = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name === 'text') node.textContent = value;
      else if (name === 'on') for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children);
    return node;
  }

  const icon = (name) => make('span', {class: 'material-symbols-outlined', 'aria-hidden': 'true', text: name});
  const select = (label, choices, value, act) => {
    const node = make('select', {'aria-label': label, class: 'rule-control'});
    for (const [key, text] of choices) node.append(make('option', {value: key, text, selected: key === value}));
    node.addEventListener('change', () => act(node.value));
    return node;
  };

  // The editor's own tree: {group, items} or {field, operator, value}. `none` stands for not(any).
  function fromJson(rule) {
    if (rule.all) return {group: 'all', items: rule.all.map(fromJson)};
    if (rule.any) return {group: 'any', items: rule.any.map(fromJson)};
    if (rule.not) {
      const inner = fromJson(rule.not);
      if (inner.group === 'any') return {group: 'none', items: inner.items};
      return {group: 'none', items: [inner]};
    }
    return {...rule};
  }

  // `where` gathers the path of each node as the server will name it.
  function toJson(node, path, where) {
    where.set(path, node);
    if (!node.group) return {field: node.field, operator: node.operator, value: node.value};
    const key = node.group === 'all' ? 'all' : 'any';
    const inner = node.group === 'none' ? path + '.not' : path;
    where.set(inner, node);
    const items = node.items.map((item, n) => toJson(item, `${inner}.${key}[${n}]`, where));
    return node.group === 'none' ? {not: {any: items}} : {[key]: items};
  }

  function start(host) {
    const hidden = host.querySelector('[data-rules]');
    const root = host.querySelector('[data-root]');
    const result = host.querySelector('[data-result]');
    const catalogue = JSON.parse(host.querySelector('#rule-catalogue').textContent);
    const fields = new Map(catalogue.map((field) => [field.name, field]));
    const token = () => document.querySelector('[name=csrfmiddlewaretoken]').value;
    let tree = {group: 'all', items: []};
    let where = new Map();
    let timer;
    let asked = 0;
    try {
      tree = fromJson(JSON.parse(hidden.value).rule);
    } catch {
      tree = {group: 'all', items: []};
    }
    if (!tree.group) tree = {group: 'all', items: [tree]};

    const many = (node) => fields.get(node.field).operators.find(({name}) => name === node.operator).many;

    function emptyValue(field, isMany) {
      if (field.kind === 'boolean') return true;
      if (isMany) return [];
      return field.kind === 'choice' ? field.choices[0].value : '';
    }

    function newCondition(name) {
      const field = fields.get(name) || catalogue[0];
      const [operator] = field.operators;
      return {field: field.name, operator: operator.name, value: emptyValue(field, operator.many)};
    }

    // One value becomes a list and back, so that changing the operator loses nothing that can be kept.
    function refit(node) {
      const field = fields.get(node.field);
      const wanted = many(node);
      if (wanted && !Array.isArray(node.value)) node.value = node.value === '' ? [] : [node.value];
      else if (!wanted && Array.isArray(node.value)) node.value = node.value.length ? node.value[0] : emptyValue(field, false);
    }

    function changed(redraw, focus) {
      where = new Map();
      hidden.value = JSON.stringify({version: 1, rule: toJson(tree, 'rule', where)});
      hidden.dispatchEvent(new Event('change', {bubbles: true}));
      if (redraw) draw();
      if (focus) focus();
      clearTimeout(timer);
      timer = setTimeout(count, DEBOUNCE);
    }

    function focusOn(node, selector) {
      return () => {
        const target = node.element && node.element.querySelector(selector);
        if (target) target.focus();
      };
    }

    function fieldSelect(node) {
      const control = make('select', {'aria-label': 'What the rule is about', class: 'rule-control rule-field'});
      for (const group of new Set(catalogue.map((field) => field.group))) {
        const part = make('optgroup', {label: group});
        for (const field of catalogue.filter((item) => item.group === group)) {
          part.append(make('option', {value: field.name, text: field.label, selected: field.name === node.field}));
        }
        control.append(part);
      }
      control.addEventListener('change', () => {
        Object.assign(node, newCondition(control.value));
        changed(true, focusOn(node, '.rule-field'));
      });
      return control;
    }

    function tags(node, field) {
      const listId = `rule-suggestions-${field.name}`;
      const box = make('div', {class: 'rule-tags rule-control'});
      const input = make('input', {
        type: 'text', list: listId, autocomplete: 'off', 'aria-label': `${field.label}: add a value, then press Enter`,
        placeholder: node.value.length ? '' : field.kind === 'markers' ? 'Type a marker, then Enter' : 'Such as en, then Enter',
      });
      const add = () => {
        const words = input.value.split(',').map((word) => word.trim()).filter(Boolean);
        input.value = '';
        const fresh = words.map((word) => (field.kind === 'markers' ? word.toUpperCase() : word));
        const more = fresh.filter((word) => !node.value.includes(word));
        if (!more.length) return;
        node.value = [...node.value, ...more];
        changed(true, focusOn(node, '.rule-tags input'));
      };
      input.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ',') {
          event.preventDefault();
          add();
        } else if (event.key === 'Backspace' && !input.value && node.value.length) {
          node.value = node.value.slice(0, -1);
          changed(true, focusOn(node, '.rule-tags input'));
        }
      });
      // Something typed and left without Enter counts too.
      input.addEventListener('change', add);
      for (const word of node.value) {
        box.append(make('span', {class: 'rule-tag'}, word, make('button', {
          type: 'button', 'aria-label': `Remove ${word}`, text: '×',
          on: {click: () => {
            node.value = node.value.filter((item) => item !== word);
            changed(true, focusOn(node, '.rule-tags input'));
          }},
        })));
      }
      box.append(input);
      box.addEventListener('click', (event) => { if (event.target === box) input.focus(); });
      return [box, suggestions(listId, field)];
    }

    function suggestions(id, field) {
      return make('datalist', {id}, ...field.suggestions.map((value) => make('option', {value})));
    }

    function choicesMany(node, field) {
      const box = make('div', {class: 'rule-choices', role: 'group', 'aria-label': `${field.label}: any of`});
      for (const {value, label} of field.choices) {
        const input = make('input', {type: 'checkbox', checked: node.value.includes(value)});
        input.addEventListener('change', () => {
          const kept = field.choices.map((choice) => choice.value);
          node.value = kept.filter((item) => (item === value ? input.checked : node.value.includes(item)));
          changed(false);
        });
        box.append(make('label', {}, input, label));
      }
      return box;
    }

    function valueControl(node) {
      const field = fields.get(node.field);
      if (field.kind === 'boolean') {
        return [select(field.label, [['yes', 'yes'], ['no', 'no']], node.value ? 'yes' : 'no', (value) => {
          node.value = value === 'yes';
          changed(false);
        })];
      }
      if (many(node)) return field.kind === 'choice' ? [choicesMany(node, field)] : tags(node, field);
      if (field.kind === 'choice') {
        return [select(field.label, field.choices.map(({value, label}) => [value, label]), node.value, (value) => {
          node.value = value;
          changed(false);
        })];
      }
      const listId = `rule-suggestions-${field.name}`;
      const input = make('input', {
        type: 'text', class: 'rule-control', list: listId, value: node.value, autocomplete: 'off', 'aria-label': field.label,
        placeholder: field.kind === 'markers' ? 'Such as NEWS' : 'Such as en',
      });
      input.addEventListener('input', () => {
        node.value = field.kind === 'markers' ? input.value.toUpperCase() : input.value;
        changed(false);
      });
      return [input, suggestions(listId, field)];
    }

    function removeButton(parent, node, what) {
      return make('button', {
        type: 'button', class: 'rule-remove', 'aria-label': `Remove ${what}`, title: `Remove ${what}`,
        on: {click: () => {
          const at = parent.items.indexOf(node);
          parent.items.splice(at, 1);
          changed(true, focusOn(parent.items[Math.min(at, parent.items.length - 1)] || parent, 'select, button'));
        }},
      }, icon('close'));
    }

    function drawCondition(node, parent) {
      const field = fields.get(node.field);
      node.element = make('div', {class: 'rule-condition', role: 'group', 'aria-label': `Rule: ${field ? field.label : node.field}`});
      if (!field) {
        node.element.append(make('p', {text: `The field ${node.field} is no longer there.`}), removeButton(parent, node, 'this rule'));
        return node.element;
      }
      refit(node);
      const operators = field.operators.map(({name, label}) => [name, label]);
      const operator = operators.length > 1
        ? select('How it is compared', operators, node.operator, (value) => {
          node.operator = value;
          refit(node);
          changed(true, focusOn(node, '.rule-operator'));
        })
        : make('span', {class: 'rule-is', text: operators[0][1]});
      operator.classList.add('rule-operator');
      const parts = make('div', {class: 'rule-parts'}, fieldSelect(node), operator, ...valueControl(node));
      node.element.append(parts, removeButton(parent, node, 'this rule'));
      if (field.help) node.element.append(make('p', {class: 'rule-help', text: field.help}));
      node.element.append(make('p', {class: 'rule-fault', 'data-fault': true, hidden: true}));
      return node.element;
    }

    function drawGroup(node, parent, depth) {
      node.element = make('section', {class: 'rule-group', 'data-group': node.group, 'aria-label': parent ? 'Group of rules' : 'Rules'});
      const head = make('header', {}, make('span', {text: parent ? 'who match' : 'End users who match'}),
        select('How the rules of this group are joined', GROUPS, node.group, (value) => {
          node.group = value;
          changed(true, focusOn(node, 'select'));
        }));
      if (parent) head.append(removeButton(parent, node, 'this group'));
      node.element.append(head);
      const list = make('div', {class: 'rule-items'});
      node.items.forEach((item, n) => {
        if (n) list.append(make('span', {class: 'rule-join', 'aria-hidden': 'true', text: node.group === 'all' ? 'and' : 'or'}));
        list.append(item.group ? drawGroup(item, node, depth + 1) : drawCondition(item, node));
      });
      if (!node.items.length) {
        list.append(make('p', {class: 'rule-empty', text: parent ? 'This group is empty: add a rule.' : 'No rule yet: everybody is in the segment.'}));
      }
      node.element.append(list, make('p', {class: 'rule-fault', 'data-fault': true, hidden: true}));
      const add = make('button', {type: 'button', class: 'rule-add', on: {click: () => {
        const item = newCondition();
        node.items.push(item);
        changed(true, focusOn(item, 'select'));
      }}}, icon('add'), 'Add rule');
      const foot = make('footer', {}, add);
      if (depth < 8) {
        foot.append(make('button', {type: 'button', class: 'rule-add', on: {click: () => {
          const group = {group: node.group === 'all' ? 'any' : 'all', items: [newCondition()]};
          node.items.push(group);
          changed(true, focusOn(group, 'select'));
        }}}, icon('account_tree'), 'Add group'));
      }
      node.element.append(foot);
      return node.element;
    }

    function draw() {
      root.replaceChildren(drawGroup(tree, null, 1));
    }

    function showFaults(problems) {
      root.querySelectorAll('[data-fault]').forEach((node) => { node.hidden = true; });
      root.querySelectorAll('.rule-bad').forEach((node) => node.classList.remove('rule-bad'));
      for (const {path, message} of problems) {
        const node = where.get(path) || where.get(path.replace(/\.(field|operator|value)$/, '')) || tree;
        const place = [...node.element.children].find((child) => child.matches('[data-fault]'));
        node.element.classList.add('rule-bad');
        if (place) {
          place.textContent = message;
          place.hidden = false;
        }
      }
    }

    function showCount({selected, total, share, words, sample}) {
      const number = (value) => value.toLocaleString('en');
      const percent = total ? `${(share * 100).toLocaleString('en', {maximumFractionDigits: share && share < 0.01 ? 2 : 1})}%` : '–';
      const meter = make('meter', {min: 0, max: 1, value: share, 'aria-hidden': 'true'});
      result.replaceChildren(
        make('p', {class: 'rule-count'}, make('strong', {text: number(selected)}), ` of ${number(total)} end users · ${percent}`),
        meter,
        make('p', {class: 'rule-words', text: words}),
      );
      if (sample.length) {
        const more = selected > sample.length ? ' …' : '';
        result.append(make('p', {class: 'rule-sample', text: `For example ${sample.join(', ')}${more}`}));
      }
    }

    async function count() {
      asked += 1;
      const mine = asked;
      result.setAttribute('aria-busy', 'true');
      try {
        const answer = await fetch(host.dataset.countUrl, {
          method: 'POST', body: hidden.value, headers: {'Content-Type': 'application/json', 'X-CSRFToken': token()},
        });
        const data = await answer.json();
        if (mine !== asked) return;
        showFaults(data.problems || []);
        if (data.problems) result.replaceChildren(make('p', {class: 'rule-waiting', text: 'Complete the marked rule to see how many end users it selects.'}));
        else showCount(data);
      } catch {
        if (mine === asked) result.replaceChildren(make('p', {class: 'rule-waiting', text: 'The count could not be read; it is tried again with the next change.'}));
      } finally {
        if (mine === asked) result.removeAttribute('aria-busy');
      }
    }

    draw();
    where = new Map();
    hidden.value = JSON.stringify({version: 1, rule: toJson(tree, 'rule', where)});
    count();
  }

  document.addEventListener('DOMContentLoaded', () => document.querySelectorAll('[data-rule-editor]').forEach(start));
})();
