// Feeds the sandboxed preview, which draws the popup with the SDK's own code, and watches the contrast.
(() => {
  'use strict';

  const FIELDS = ['title', 'text', 'image', 'subscribe_label', 'later_label', 'close_label'];
  const COLOURS = ['background', 'text', 'button', 'button_text'];

  function luminance(colour) {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  document.addEventListener('DOMContentLoaded', () => {
    const frame = document.querySelector('[data-popup-frame]');
    if (!frame) return;
    const form = frame.closest('form');
    const warning = document.querySelector('[data-contrast]');
    const box = document.querySelector('[data-frame-box]');
    const {language, direction} = document.querySelector('[data-editor]').dataset;
    const words = JSON.parse(document.getElementById('popup-words').textContent);
    const does = document.querySelector('[data-outcome]');
    // What a language leaves empty may be the default language's (data-fallback).
    const value = (name) => {
      const input = form.elements[name];
      return input ? input.value.trim() || (input.dataset && input.dataset.fallback) || '' : '';
    };
    const row = (name) => form.querySelector(`.field-${name}`) || form.querySelector(`.field-line.field-${name}`);
    const ticked = () => [...form.querySelectorAll('[name=categories]:checked')].map((box) => box.value);
    let did = value('primary');

    // The buttons' titles follow what the first one does, unless somebody has written their own.
    function rename() {
      const does = value('primary');
      if (does === did) return;
      for (const [name, title] of Object.entries(words.labels[does])) {
        const known = Object.values(words.labels).map((labels) => labels[name]);
        if (known.includes(value(name))) form.elements[name].value = title;
      }
      did = does;
    }

    function explain(categories) {
      const then = {
        permission: 'asks the browser for permission',
        url: 'opens the page',
        click: 'is counted as a click',
        close: 'only closes the popup',
      }[value('primary')];
      const kept = categories.length ? ', and what is ticked is kept' : '';
      does.textContent = `“${value('subscribe_label') || 'The first button'}” ${then}${kept}.`;
    }

    function draw() {
      const content = Object.fromEntries(FIELDS.map((name) => [name, value(name)]));
      content.title = content.title || 'Title';
      content.language = language;
      content.direction = direction;
      content.colours = Object.fromEntries(COLOURS.map((name) => [name, value(`colour_${name}`)]));
      const chosen = value('template') === 'categories' ? ticked() : [];
      content.categories = words.categories.filter(({marker}) => chosen.includes(marker));
      explain(content.categories);
      frame.contentWindow.postMessage({content}, '*');
      const {background, text, button, button_text: title} = content.colours;
      const bad = [];
      if (contrast(text, background) < 4.5) bad.push(`text on background ${contrast(text, background).toFixed(1)}`);
      if (contrast(title, button) < 4.5) bad.push(`title on button ${contrast(title, button).toFixed(1)}`);
      warning.hidden = !bad.length;
      warning.textContent = bad.length ? `Hard to read: ${bad.join(', ')} to 1; 4.5 to 1 is the least that everybody reads.` : '';
      for (const [name, shown] of [['primary_url', value('primary') === 'url'], ['categories', value('template') === 'categories']]) {
        if (row(name)) row(name).hidden = !shown;
      }
    }

    document.querySelectorAll('[data-width]').forEach((button) => button.addEventListener('click', () => {
      box.classList.toggle('sp-frame-phone', button.dataset.width === 'phone');
      document.querySelectorAll('[data-width]').forEach((other) => other.setAttribute('aria-pressed', String(other === button)));
    }));
    const changed = () => {
      rename();
      draw();
    };
    form.addEventListener('input', changed);
    form.addEventListener('change', changed);
    frame.addEventListener('load', draw);
    draw();
  });
})();
