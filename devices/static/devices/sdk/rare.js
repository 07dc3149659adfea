// What few pages ever need, loaded when they do: words for what is wrong, and for the installation on an iPhone.
// A module of its own: it knows of the SDK only what it is given.

const OPTIONS = {
  brand: '', host: '', serviceWorker: '', scope: '', language: '', requireConsent: '', iosInstallHint: '',
  takeOverSubscription: '', nonce: '',
};
let importLine;

const HINT = {
  title: 'Get notifications here',
  text: 'Put this site on your Home Screen first:',
  steps: ['Tap the Share button of your browser.', 'Choose “Add to Home Screen”.', 'Open the site from there.'],
  close_label: 'Close',
};

// Draws how to install the site, in the site's own words where it has some; the rest is the SDK's.
export function installHint(words, draw, emit, dismiss, saveRecord) {
  const tell = (state) => emit('popup', {offer: 'install_hint', state});
  const view = draw({...HINT, ...words}, null, {
    close: () => {
      dismiss();
      tell('closed');
      return saveRecord({hinted: true});
    },
  });
  const list = document.createElement('ol');
  list.style.cssText = 'margin: 8px 0 0; padding-inline-start: 22px';
  for (const step of words?.steps || HINT.steps) list.appendChild(document.createElement('li')).textContent = step;
  document.querySelector('smartpush-popup').shadowRoot.getElementById('text').after(list);
  tell('shown');
  return view;
}

// How many letters have to be changed, added or removed to make one word of the other.
function distance(one, other) {
  let row = [...Array(other.length + 1).keys()];
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (one[i - 1] === other[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[other.length];
}

function optionMeant(name) {
  const spelled = name.toLowerCase().replace(/[^a-z]/g, '');
  const [nearest] = Object.keys(OPTIONS)
    .map((option) => [option, distance(spelled, option.toLowerCase())])
    .sort(([, one], [, other]) => one - other);
  const [option, changes] = nearest;
  return changes <= Math.max(2, option.length / 3) ? ' Write ' + option + '.' : ' It knows ' + Object.keys(OPTIONS).join(', ') + '.';
}

function hostAdvice(host) {
  if (!host || host === 'undefined') return 'init needs host, the address of your smartpush server, such as https://push.example.com.';
  const given = 'host is "' + host + '". ';
  if (/^http:/i.test(host)) return given + 'Browsers refuse push on insecure pages: give its https address.';
  return given + 'Give the whole address, such as https://' + (/^[\w.-]+(:\d+)?$/.test(host) ? host : 'push.example.com') + '.';
}

const TAKES = {
  markers: "'add', 'remove', 'replace' or 'clear', and a list of markers",
  on: "one of 'status', 'popup', 'push', 'click', 'error', and a function",
  consent: 'true or false',
  optOut: 'true or false',
  identify: 'the external id as a non-empty text or a number',
  event: 'the name of the event as a non-empty text, and its properties',
  action: 'the name of the action as a non-empty text, and its properties',
};

const ADVICE = {
  invalid_argument: (command) => command + ' takes ' + TAKES[command] + '.',
  unknown_command: (name) => 'There is no command "' + name + '". The documentation of the SDK lists them.',
  already_initialised: () => 'init was called before on this page. Call it once.',
  gesture_required: () => 'Call requestPushPermission directly in a click handler, with no await before it.',
  unknown_option: (name) => 'init has no option "' + name + '".' + optionMeant(name),
  brand_unknown: () => 'This server has no brand with the key that init was given. Copy it from the back office:'
    + ' Settings, Brands, Integration.',
  host_invalid: hostAdvice,
  origin_not_allowed: () => 'Pages of ' + location.origin + ' are not registered for this brand. ' + (
    /^http:..(localhost|127\.)/.test(location.origin)
      ? 'Switch on "Pages on developers\' own machines" in the brand\'s settings.'
      : 'Add exactly this origin in the back office under Settings, Apps, or restore it there if it is archived.'
  ),
  not_found: () => 'There is no smartpush server at the host that init was given. Check host.',
  http_404: () => 'There is no smartpush server at the host that init was given. Check host.',
};

// The sentence for the console: what happened, and what to do.
export function advice({code, message}) {
  return ADVICE[code] ? ADVICE[code](message) : message;
}

const line = (file) => 'Put a file there that holds the line ' + importLine + ' (asked for: ' + file + ')';

// What is provably wrong with the worker file, as [code, message]; null where it may be the moment, the browser or
// somebody's policy. `error` is why it could not be registered; without one it was, and did not answer us. `known` is
// the scope that an earlier page of ours used, `host` the server.
export async function workerProblem(file, scope, registration, error, known, host) {
  importLine = 'importScripts("' + host + '/sdk/v1/sw.js");';
  if (new URL(file).origin !== location.origin) {
    return ['worker_origin', 'The service worker has to be a file of this site itself, not of ' + new URL(file).origin + '.'];
  }
  let response;
  let text;
  try {
    response = await fetch(file, {cache: 'no-store', credentials: 'same-origin', redirect: 'manual'});
    text = await response.text();
  } catch {
    // Offline, or the page's connect-src does not name the site itself: the browser's own words have to do.
    const [status] = /\b4\d\d\b/.exec(error?.message) || [];
    return status ? missing(file, status) : null;
  }
  if (response.type === 'opaqueredirect') {
    return ['worker_redirected', file + ' redirects, and browsers refuse a service worker that does. ' + line(file)];
  }
  if (response.status >= 400 && response.status < 500) return missing(file, response.status);
  if (!response.ok) return null;
  const kind = response.headers.get('Content-Type') || '';
  if (!/(java|ecma)script/i.test(kind)) {
    return ['worker_not_script', 'The file is served as "' + kind + '", not as text/javascript: a page for missing'
      + ' addresses, or a wrong type. ' + line(file)];
  }
  // Without comments; `//` behind a quote or a colon is a part of an address.
  const code = text.replace(/\/\*[^]*?\*\/|(^|[\s;{}(),])\/\/.*/g, ' ');
  if (!code.trim()) return ['worker_empty', 'The service worker file is empty. ' + line(file)];
  const folder = new URL('.', file).href;
  if (error?.name === 'SecurityError' && !scope.startsWith(folder) && !response.headers.get('Service-Worker-Allowed')) {
    return ['worker_scope', 'The scope ' + scope + ' lies outside the worker file\'s folder ' + folder + '. Leave the'
      + ' option scope out, move the file up, or send it with the header Service-Worker-Allowed.'];
  }
  if (/smartpush|(?<!\bHOST)\/sdk\/v1\/sw\.js/i.test(code) || await mayHoldUs(code, registration, known)) return null;
  return ['worker_foreign', 'The service worker file does not import ours. Add ' + importLine
    + ' as its first line, or name another file in serviceWorker. (asked for: ' + file + ')'];
}

const missing = (file, status) => ['worker_missing', 'There is no service worker file (' + status + '). ' + line(file)];

// A file that imports others may import ours through them. One that worked before, or is being renewed, gets the benefit.
async function mayHoldUs(text, registration, known) {
  if (!registration || !/\bimport/.test(text)) return false;
  if (registration.scope === known) return true;
  await registration.update().catch(() => {});
  return Boolean(registration.installing || registration.waiting);
}
