// Draws the push as each browser would, personalised by the server with sample values.
(() => {
  'use strict';

  const DEBOUNCE = 300;
  const TEXTS = ['title', 'message', 'click_url', 'button_1_title', 'button_2_title', 'button_3_title', 'button_1_url', 'button_2_url', 'button_3_url'];
  const SIZED = ['icon', 'image', 'badge', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'];
  const NAMES = {icon: 'icon', image: 'attached image', badge: 'badge', buttons: 'buttons'};

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  }

  function picture(className, address, alt) {
    const image = make('img', className);
    image.alt = alt;
    image.src = address;
    image.addEventListener('error', () => image.replaceWith(make('span', `${className} sp-no-picture`, 'picture not found')));
    return image;
  }

  function start(host) {
    const form = host.closest('form');
    const browsers = JSON.parse(document.getElementById('push-browsers').textContent);
    const tabs = host.querySelector('[data-tabs]');
    const stage = host.querySelector('[data-stage]');
    const shown = host.querySelector('[data-shown]');
    const note = host.querySelector('[data-note]');
    const url = document.querySelector('[data-editor]').dataset.previewUrl;
    // What a language leaves empty may be the default language's (data-fallback).
    const value = (name) => {
      const input = form.elements[name];
      return input ? input.value.trim() || (input.dataset && input.dataset.fallback) || '' : '';
    };
    let current = browsers[0];
    let texts = {};
    let timer;
    let asked = 0;
    let rests = false;

    function drawTabs() {
      tabs.replaceChildren(...browsers.map((browser) => {
        const tab = make('button', '', browser.label);
        const chosen = browser === current;
        tab.type = 'button';
        tab.setAttribute('role', 'tab');
        tab.setAttribute('aria-selected', String(chosen));
        tab.tabIndex = chosen ? 0 : -1;
        tab.addEventListener('click', () => choose(browser));
        return tab;
      }));
    }

    function choose(browser) {
      current = browser;
      drawTabs();
      draw();
      tabs.querySelector('[aria-selected=true]').focus();
    }

    tabs.addEventListener('keydown', (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
      if (!step) return;
      event.preventDefault();
      choose(browsers[(browsers.indexOf(current) + step + browsers.length) % browsers.length]);
    });

    function draw() {
      const text = (name) => (name in texts ? texts[name] : value(name));
      const shows = (field) => current.fields.includes(field);
      const buttons = [1, 2, 3].map((n) => text(`button_${n}_title`)).filter(Boolean);
      const card = make('div', `sp-push sp-push-${current.key}`);
      card.dir = 'auto';
      const head = make('div', 'sp-push-head');
      if (shows('badge') && value('badge')) head.append(picture('sp-push-badge', value('badge'), 'Badge'));
      head.append(make('span', '', host.dataset.site || 'www.example.com'), make('span', 'sp-push-now', 'now'));
      const body = make('div', 'sp-push-body');
      const words = make('div', 'sp-push-words');
      words.append(make('strong', '', text('title') || 'Title'), make('p', '', text('message') || 'Message'));
      if (shows('icon') && value('icon')) body.append(picture('sp-push-icon', value('icon'), 'Icon'));
      else if (!shows('icon')) body.append(make('span', 'sp-push-icon sp-push-site', 'S'));
      body.append(words);
      card.append(head, body);
      if (shows('image') && value('image')) card.append(picture('sp-push-image', value('image'), 'Attached image'));
      if (shows('buttons') && buttons.length) {
        const row = make('div', 'sp-push-buttons');
        row.append(...buttons.slice(0, current.buttons).map((title) => make('span', '', title)));
        card.append(row);
      }
      stage.replaceChildren(card);
      const used = {icon: value('icon'), image: value('image'), badge: value('badge'), buttons: buttons.length};
      shown.replaceChildren(...Object.entries(used).filter(([, there]) => there).map(([field]) => {
        const cut = field === 'buttons' && shows(field) && buttons.length > current.buttons;
        const seen = shows(field) && !cut;
        const since = current.since[field];
        const words = cut ? `first ${current.buttons} of ${buttons.length} buttons` : seen ? `${NAMES[field]}, from version ${since}` : `${NAMES[field]} not shown`;
        return make('li', seen ? 'sp-yes' : 'sp-not', words);
      }));
      note.textContent = current.note;
      note.hidden = !current.note;
    }

    // A problem stands in the way of saving; a warning (a name that the brand's data does not know) does not.
    function showProblems(found, warnings) {
      const problems = {...warnings, ...found};
      for (const name of TEXTS) {
        const input = form.elements[name];
        if (!input) continue;
        let place = input.parentElement.querySelector(':scope > .sp-live-error');
        if (!place && problems[name]) {
          place = make('p', 'sp-live-error');
          place.id = `sp-live-${name}`;
          place.setAttribute('role', 'status');
          input.after(place);
        }
        if (place) {
          place.classList.toggle('sp-live-warning', !found[name]);
          place.textContent = problems[name] || '';
          place.hidden = !problems[name];
        }
        if (problems[name]) input.setAttribute('aria-describedby', place.id);
        else input.removeAttribute('aria-describedby');
      }
    }

    // A push service takes no more than `most` bytes; up to `aim` every browser is sure to show.
    function showSize(size) {
      const box = host.querySelector('[data-size]');
      box.hidden = !size;
      if (!size) return;
      const meter = box.querySelector('[data-size-meter]');
      Object.assign(meter, {max: size.most, high: size.most - 1, low: size.aim, optimum: 0, value: Math.min(size.bytes, size.most)});
      const [bytes, aim, most] = [size.bytes, size.aim, size.most].map((number) => number.toLocaleString('en'));
      const verdict = size.bytes > size.most
        ? `Too large: push services take ${most} bytes. Shorten the text or the addresses.`
        : size.bytes > size.aim
          ? `About ${bytes} of ${most} bytes with long names; Firefox on Android shows up to ${aim} for certain.`
          : `About ${bytes} of ${most} bytes with long names.`;
      box.querySelector('[data-size-text]').textContent = verdict;
      box.classList.toggle('sp-bad', size.bytes > size.most);
    }

    // The server gives no more previews this minute: say so, keep the texts as typed, and ask again in time.
    function rest(words, seconds) {
      const box = host.querySelector('[data-size]');
      box.hidden = false;
      box.classList.remove('sp-bad');
      box.querySelector('[data-size-meter]').hidden = true;
      box.querySelector('[data-size-text]').textContent = words;
      rests = true;
      clearTimeout(timer);
      timer = setTimeout(() => {
        rests = false;
        box.querySelector('[data-size-meter]').hidden = false;
        personalise();
      }, seconds * 1000);
    }

    async function personalise() {
      asked += 1;
      const mine = asked;
      const given = Object.fromEntries([...TEXTS, ...SIZED].map((name) => [name, value(name)]));
      try {
        const answer = await fetch(url, {
          method: 'POST', body: JSON.stringify(given),
          headers: {'Content-Type': 'application/json', 'X-CSRFToken': form.elements.csrfmiddlewaretoken.value},
        });
        const data = await answer.json();
        if (answer.status === 429) rest(data.error, Number(answer.headers.get('Retry-After')) || 60);
        if (mine !== asked || !answer.ok) return;
        texts = data.texts;
        showProblems(data.problems, data.warnings);
        showSize(data.size);
        draw();
      } catch {
        // The next change asks again; the texts as typed stay in the picture.
      }
    }

    form.addEventListener('input', () => {
      texts = {};
      draw();
      if (rests) return;
      clearTimeout(timer);
      timer = setTimeout(personalise, DEBOUNCE);
    });
    drawTabs();
    draw();
    personalise();
  }

  document.addEventListener('DOMContentLoaded', () => document.querySelectorAll('[data-push-preview]').forEach(start));
})();
