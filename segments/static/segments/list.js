// Imported segments: uploads with their progress, problems beside the field, and the state of an import as it changes.
(() => {
  'use strict';

  const ASK_EVERY = 1000; // milliseconds
  const HEAD = 65_536; // bytes of a file that its columns are read from
  const say = (form, problems) => {
    for (const place of form.querySelectorAll('[data-problem]')) {
      const texts = problems[place.dataset.problem] || [];
      place.textContent = texts.join(' ');
      place.hidden = !texts.length;
    }
  };

  // The columns of a chosen file, and the one that would be taken: shown before anything is imported.
  function columns(form) {
    const host = form.querySelector('[data-columns]');
    const select = host.querySelector('select');
    const header = host.querySelector('input');
    const values = host.querySelector('[data-column-values]');
    let asked = 0;
    let found = null;
    const clear = () => {
      host.hidden = true;
      select.disabled = true;
      header.disabled = true;
    };
    const shown = () => {
      const samples = [...found.samples[select.value]];
      if (header.checked && !found.header) samples.shift();
      if (!header.checked && found.header) samples.unshift(found.names[select.value]);
      const some = samples.filter(Boolean).slice(0, 3);
      values.textContent = some.length ? `Such as ${some.join(', ')}` : 'Its first lines are empty.';
    };
    select.addEventListener('change', shown);
    header.addEventListener('change', shown);
    return async (file) => {
      clear();
      asked += 1;
      if (!file) return;
      const mine = asked;
      const body = new FormData();
      body.append('head', file.slice(0, HEAD), 'head');
      body.append('name', file.name);
      body.append('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
      try {
        const answer = await fetch(host.dataset.columns, {method: 'POST', body, headers: {Accept: 'application/json'}});
        const said = await answer.json();
        if (mine !== asked) return;
        if (said.problems) say(form, said.problems);
        if (!answer.ok || !said.names.length) return;
        found = said;
      } catch {
        return; // the import itself guesses, and says what is wrong
      }
      select.replaceChildren(...found.names.map((name, number) => new Option(name || `Column ${number + 1}`, number)));
      select.value = String(found.column);
      header.checked = found.header;
      select.disabled = false;
      header.disabled = false;
      host.hidden = false;
      shown();
    };
  }

  function chooser(form) {
    const look = columns(form);
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
    const chosen = () => look(show() ? input.files[0] : null);
    input.addEventListener('change', chosen);
    for (const kind of ['dragover', 'dragleave', 'drop']) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.toggleAttribute('data-over', kind === 'dragover');
        if (kind === 'drop' && event.dataTransfer.files.length) {
          input.files = event.dataTransfer.files;
          chosen();
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
