// The brand switch sends itself when another brand is chosen; without JavaScript its button does.
document.addEventListener('DOMContentLoaded', () => {
  for (const form of document.querySelectorAll('form[data-brand-switch]')) {
    form.querySelector('button').hidden = true;
    form.querySelector('select').addEventListener('change', () => form.requestSubmit());
  }
});
