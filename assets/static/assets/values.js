// Offers what a text may name, and lays it into the text where the caret is.
(() => {
  'use strict';

  const TEXTS = ['title', 'message', 'click_url', 'button_1_title', 'button_2_title', 'button_3_title'];

  const TAG = /\{\{[^]*?\}\}|\{%[^]*?%\}/g;
  const BEGUN = /\{\{-?\s*[\w.-]*$/; // an output that is not closed yet: the value takes its place

  // Where the value goes. No tag is cut in two: it stands behind one that the caret or an end of the selection is in.
  function place(text, start, end) {
    for (const tag of text.matchAll(TAG)) {
      const [from, to] = [tag.index, tag.index + tag[0].length];
      if (from < end && end < to) return [to, to];
      if (from < start && start < to) start = to;
    }
    const begun = text.slice(0, start).match(BEGUN);
    return [begun ? begun.index : start, end];
  }

  function insert(field, name) {
    const value = `{{ ${name} }}`;
    field.setRangeText(value, ...place(field.value, field.selectionStart, field.selectionEnd), 'end');
    field.dispatchEvent(new Event('input', {bubbles: true}));
    field.focus();
  }

  function offer(picker) {
    const {form} = picker;
    const texts = TEXTS.map((name) => form.elements[name]).filter(Boolean);
    if (!texts.length) return;
    let last = form.elements.message || texts[0];
    for (const text of texts) text.addEventListener('focus', () => { last = text; });
    picker.addEventListener('change', () => {
      if (picker.value) insert(last, picker.value);
      picker.value = '';
    });
    const box = picker.closest('[data-values]');
    (form.elements.message || texts[0]).closest('.field-line, .form-row, div').append(box);
    box.hidden = false;
  }

  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('[data-values] select').forEach(offer);
  });
})();
