// The forms of the ready flows: what a choice makes needless is out of the way.
(() => {
  'use strict';

  const row = (name) => document.querySelector(`[data-field="${name}"]`);
  const popup = document.querySelector('[data-popup-choice]');
  const times = document.querySelectorAll('input[name=when]');

  function settle() {
    if (popup) for (const name of ['title', 'text', 'primary_url']) row(name).hidden = popup.value !== '';
    if (times.length) row('at').hidden = document.querySelector('input[name=when]:checked')?.value !== 'at';
  }

  document.addEventListener('change', settle);
  settle();
})();
