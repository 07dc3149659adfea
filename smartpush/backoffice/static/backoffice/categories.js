// The form of a push category: a marker made of the name, and a row for each language.
(() => {
  'use strict';

  function markerOf(name) {
    const plain = name.normalize('NFKD').replace(/[^\x00-\x7f]/g, '').toUpperCase();
    return plain.replace(/[^A-Z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 64);
  }

  function suggestMarker(marker) {
    const name = marker.form.elements[marker.dataset.markerOf];
    let own = marker.value !== '' && marker.value !== markerOf(name.value);
    marker.addEventListener('input', () => { own = marker.value !== ''; });
    name.addEventListener('input', () => { if (!own) marker.value = markerOf(name.value); });
  }

  function languages(box) {
    const blank = box.querySelector('[data-blank]');
    const add = box.querySelector('[data-add]');
    add.addEventListener('click', () => {
      const row = blank.cloneNode(true);
      row.hidden = false;
      delete row.dataset.blank;
      for (const input of row.querySelectorAll('select, input')) input.disabled = false;
      blank.before(row);
      row.querySelector('select').focus();
    });
    // A language begins with its own words for a category of ours, also in place of another language's; what somebody
    // has typed stays.
    const defaults = JSON.parse(document.getElementById('translation-defaults').textContent);
    const ours = new Set(Object.values(defaults).flat());
    box.addEventListener('change', ({target}) => {
      const words = target.matches('select') && defaults[target.value];
      if (!words) return;
      const inputs = [...target.closest('[data-row]').querySelectorAll('input')];
      const empty = inputs.every((input) => !input.value);
      inputs.forEach((input, place) => {
        if (empty || ours.has(input.value)) input.value = words[place];
      });
    });
    box.addEventListener('click', (event) => {
      const remove = event.target.closest('[data-remove]');
      if (!remove) return;
      remove.closest('[data-row]').remove();
      add.focus();
    });
  }

  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('[data-marker-of]').forEach(suggestMarker);
    document.querySelectorAll('[data-translations]').forEach(languages);
  });
})();
