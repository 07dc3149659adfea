// Imported segments: uploads with their progress, problems beside the field, and the state of an import as it changes.
(() => {
  'use strict';

  const ASK_EVERY = 1000; // milliseconds
  const say = (form, problems) => {
    for (const place of form.querySelectorAll('[data-problem]')) {
      const texts = problems[place.dataset.problem] || [];
      place.textContent = texts.join(' ');
      place.hidden = !texts.length;
    }
  };

  function chooser(form) {
    const input = form.querySelector('input[type=file]');
    const zone = form.querySelector('[data-drop]');
    const name = form.querySelector('[data-file-name]');
    const empty = name.textContent;
    const show = () => {
      const file = input.files[0];
      name.textContent = file ? `${file.name} (${size(file.size)})` : empty;
      const most = Number(input.dataset.most);
      const large = file && file.size > most;
      say(form, large ? {file: [`The file is larger than ${size(most)}. Split it into several.`]} : {});
      return !large;
    };
    input.addEventListener('change', show);
    for (const kind of ['dragover', 'dragleave', 'drop']) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.toggleAttribute('data-over', kind === 'dragover');
        if (kind === 'drop' && event.dataTransfer.files.length) {
          input.files = event.dataTransfer.files;
          show();
        }
      });
    }
    return show;
  }

  function size(bytes) {
    if (bytes < 1024) return `${bytes} bytes`;
    return bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)} kB` : `${Math.floor(bytes / 1_048_576)} MB`;
  }

  function uploads(form) {
    const fits = chooser(form);
    const sending = form.querySelector('[data-sending]');
    const bar = sending.querySelector('progress');
    const words = sending.querySelector('[data-sending-words]');
    const button = form.querySelector('button[type=submit]');
    const end = (problems) => {
      sending.hidden = true;
      button.disabled = false;
      say(form, problems);
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (button.disabled || !fits()) return;
      const request = new XMLHttpRequest();
      request.open('POST', form.action);
      request.setRequestHeader('Accept', 'application/json');
      request.responseType = 'json';
      request.upload.addEventListener('progress', ({loaded, total}) => {
        bar.value = total ? (100 * loaded) / total : 0;
        words.textContent = loaded < total ? `${size(loaded)} of ${size(total)} uploaded` : 'Reading the file…';
      });
      request.addEventListener('load', () => {
        const answer = request.response || {};
        const elsewhere = new URL(request.responseURL || form.action).pathname !== new URL(form.action).pathname;
        if (answer.location) window.location.assign(answer.location);
        else if (elsewhere) end({file: ['You were logged out. Log in again in another tab, then press the button again.']});
        else end(answer.problems || {file: [answer.error || `The server refused it (${request.status}). Reload the page and try again.`]});
      });
      request.addEventListener('error', () => end({file: ['The upload was cut off. Try again.']}));
      button.disabled = true;
      sending.hidden = false;
      say(form, {});
      request.send(new FormData(form));
    });
  }

  function follow(host) {
    const ask = async () => {
      const open = host.querySelector('[data-open]');
      if (!open || document.hidden) return;
      try {
        const answer = await fetch(host.dataset.url, {headers: {Accept: 'application/json'}});
        if (!answer.ok) return;
        const state = await answer.json();
        // What a person is about to press stays under their finger.
        if (state.state !== 'asking' || open.dataset.open !== 'asking') host.innerHTML = state.html;
      } catch {
        // The next question may be answered.
      }
    };
    window.setInterval(ask, ASK_EVERY);
  }

  document.querySelectorAll('form[data-upload]').forEach(uploads);
  document.querySelectorAll('[data-state]').forEach(follow);
})();
