// Uploads a picture and writes its address into the field; adding a language goes to that language's form.
(() => {
  'use strict';

  const token = () => document.querySelector('[name=csrfmiddlewaretoken]').value;

  async function upload(box, file) {
    const note = box.querySelector('[data-note]');
    const input = box.querySelector('input[type=text]');
    const tell = (text, bad) => {
      note.textContent = text;
      note.hidden = !text;
      note.classList.toggle('sp-bad', bad);
    };
    tell('Uploading…', false);
    const body = new FormData();
    body.append('file', file);
    try {
      const address = document.querySelector('[data-editor]').dataset.uploadUrl;
      const answer = await fetch(address, {method: 'POST', body, headers: {'X-CSRFToken': token()}});
      const data = await answer.json();
      if (!answer.ok) throw new Error(data.error);
      input.value = data.url;
      input.dispatchEvent(new Event('input', {bubbles: true}));
      tell(`${data.width} × ${data.height} pixels`, false);
    } catch (error) {
      tell(error.message || 'The picture did not arrive; try again.', true);
    }
  }

  document.addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('[data-image-input]').forEach((box) => {
      const file = box.querySelector('[data-file]');
      box.querySelector('[data-upload]').addEventListener('click', () => file.click());
      file.addEventListener('change', () => {
        if (file.files[0]) upload(box, file.files[0]);
        file.value = '';
      });
    });
    const more = document.querySelector('[data-add-language]');
    if (more) more.addEventListener('change', () => { if (more.value) location.search = `?language=${more.value}`; });
  });
})();
