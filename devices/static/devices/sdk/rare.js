// What few pages ever need, loaded when they do: words for what is wrong, and for the installation on an iPhone.
// A module of its own: it knows of the SDK only what it is given. `options` are those of init, `record` what this
// browser keeps of the installation.

const TEXT = 'a text';
const SWITCH = 'true or false';
const NAMED = 'a name as a non-empty text, and properties';
const OPTIONS = {
  brand: TEXT, host: TEXT, serviceWorker: TEXT, scope: TEXT, language: TEXT, requireConsent: SWITCH,
  iosInstallHint: 'true, false or an object of words', takeOverSubscription: SWITCH, nonce: TEXT,
};
const PROBE_PATIENCE = 1500;
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
  if (name === '0') return ' It takes one object, {brand, host}.';
  const spelled = name.toLowerCase().replace(/[^a-z]/g, '');
  const [nearest] = Object.keys(OPTIONS)
    .map((option) => [option, distance(spelled, option.toLowerCase())])
    .sort(([, one], [, other]) => one - other);
  const [option, changes] = nearest;
  return changes <= Math.max(2, option.length / 3) ? ' Write ' + option + '.' : ' It knows ' + Object.keys(OPTIONS).join(', ') + '.';
}

function hostAdvice(host) {
  // An error without words has its code in their place.
  if (host === 'host_invalid') return 'init needs host, the address of your smartpush server, such as https://push.example.com.';
  const given = 'host is "' + host + '". ';
  if (/^http:/i.test(host)) return given + 'Browsers refuse push on insecure pages: give its https address.';
  return given + 'Give the whole address, such as https://' + (/^[\w.-]+(:\d+)?$/.test(host) ? host : 'push.example.com') + '.';
}

// The server knows no such key, or it holds what no key does: said by its name where nobody could see it.
function brandAdvice(brand) {
  const [odd] = brand.match(/[^\w-]/u) || [];
  const unseen = 'U+' + odd?.codePointAt().toString(16).toUpperCase().padStart(4, '0');
  return (odd ? 'No key holds ' + (/[!-~]/.test(odd) ? odd : unseen) + ', but brand is ' + JSON.stringify(brand)
    : 'This server has no brand with the key "' + brand + '"') + '. Copy it from the back office: Settings, Brands, Integration.';
}

const noServer = (words, {host}) => 'There is no smartpush server at ' + host + '. Check host.';

const TAKES = {
  markers: "'add', 'remove', 'replace' or 'clear', and a list of markers",
  on: "one of 'status', 'popup', 'push', 'click', 'error', and a function",
  consent: SWITCH,
  optOut: SWITCH,
  identify: 'the external id as a non-empty text or a number',
  event: NAMED,
  action: NAMED,
};

const ADVICE = {
  not_initialised: (code) => (code === 'not_initialised' ? 'Call init first.' : 'init failed: ' + code + '.'),
  invalid_argument: (command) => command + ' takes ' + TAKES[command] + '.',
  unknown_command: (name) => 'There is no command "' + name + '".',
  already_initialised: () => 'init was called before on this page. Call it once.',
  gesture_required: () => 'Call requestPushPermission directly in a click handler, with no await before it.',
  unknown_option: (name) => 'init has no option "' + name + '".' + optionMeant(name),
  invalid_option: (name, options) => 'init takes ' + name + ' as ' + OPTIONS[name] + ', not as ' + typeof options[name] + '.',
  brand_unknown: (words, {brand}) => brandAdvice(brand),
  host_invalid: hostAdvice,
  origin_not_allowed: () => 'Pages of ' + location.origin + ' are not registered for this brand. ' + (
    /^http:..(localhost|127\.)/.test(location.origin)
      ? 'Switch on "Pages on developers\' own machines" in the brand\'s settings.'
      : 'Add exactly this origin in the back office under Settings, Apps, or restore it there if it is archived.'
  ),
  not_found: noServer,
  http_404: noServer,
};

// The sentence for the console: what happened, and what to do.
export function advice(options, record, {code, message}) {
  return ADVICE[code] ? ADVICE[code](message, options) : message;
}

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

// Resolves with the answer, or without one where none comes soon enough or the browser keeps it from us. The news of
// a policy comes right behind its failure.
const ask = (address, how) => Promise.race([
  fetch(address, {cache: 'no-store', credentials: 'omit', ...how}).catch(() => wait(50)), wait(PROBE_PATIENCE),
]);

const isScript = (response) => /(java|ecma)script/i.test(response.headers.get('Content-Type'));

const kept = [];
addEventListener('securitypolicyviolation', ({blockedURI, disposition}) => {
  if (disposition === 'enforce') kept.push(blockedURI);
});

let looked;

// Why the page's first call got no answer of a smartpush server, as {code, message}; null where it may be the moment.
// `script` is the address of the SDK itself: a server that it came from is there, and so is one that answered before.
export async function hostProblem(options, {user}, script) {
  const {host} = options;
  const there = user || script?.startsWith(host + '/');
  // A server that is away is not asked at each try, and a policy does not change.
  if (!navigator.onLine || (there && looked)) return null;
  looked = true;
  const file = host + '/sdk/v1/rare.js';
  const answer = await ask(file);
  const keeps = (address) => kept.some((one) => one.startsWith(address));
  if (keeps(file)) {
    return {code: 'host_blocked', message: 'The Content Security Policy of this page needs ' + host + ' in connect-src.'};
  }
  if (there || answer?.status >= 500 || (answer?.ok && isScript(answer))) return null;
  const [anything, here] = await Promise.all([
    answer || ask(file, {mode: 'no-cors'}), answer || ask(location.href, {method: 'HEAD'}),
  ]);
  if (!here && !keeps(location.origin)) return null;
  return anything
    ? {code: 'host_foreign', message: noServer('', options) + ' If it is one, its proxy has to pass on our CORS headers.'}
    : {code: 'host_unreachable', message: 'Nothing answers at ' + host + '. Check host: its name, port and certificate.'};
}

const line = () => 'Put a file there that holds the line ' + importLine;

// What is provably wrong with the worker, as [code, message]; null where it may be the moment, the browser or
// somebody's policy. `error` is why it could not be registered; without one it was, and did not answer us.
export async function workerProblem({serviceWorker, scope: wanted, host}, {scope: known}, registration, error) {
  importLine = 'importScripts("' + host + '/sdk/v1/sw.js");';
  const file = addressOf(serviceWorker, location.href);
  if (!file) return ['worker_invalid', 'serviceWorker is "' + serviceWorker + '", which is no address of a file.'];
  if (file.origin !== location.origin) {
    return ['worker_origin', 'The service worker has to be a file of this site itself, not of ' + file.origin + '.'];
  }
  const scope = addressOf(wanted || '.', file);
  if (scope?.origin !== location.origin) return outside(wanted, new URL('.', file));
  const found = await fileProblem(file.href, scope.href, registration, error, known, host);
  return found && [found[0], found[1] + ' (asked for: ' + file + ')'];
}

// What no browser registers is no address: other schemes, and slashes in disguise.
function addressOf(value, base) {
  try {
    const url = new URL(value, base);
    return /^http/.test(url.protocol) && !/%2f|%5c/i.test(url.pathname) ? url : null;
  } catch {
    return null;
  }
}

async function fileProblem(file, scope, registration, error, known, host) {
  let response;
  let text;
  try {
    response = await fetch(file, {cache: 'no-store', credentials: 'same-origin', redirect: 'manual'});
    text = await response.text();
  } catch {
    // Offline, or the page's connect-src does not name the site itself: the browser's own words have to do.
    const [status] = /\b4\d\d\b/.exec(error?.message) || [];
    return status ? missing(status) : null;
  }
  if (response.type === 'opaqueredirect') {
    return ['worker_redirected', 'The file\'s address redirects, which browsers refuse. ' + line()];
  }
  if (response.status >= 400 && response.status < 500) return missing(response.status);
  if (!response.ok) return null;
  if (!isScript(response)) {
    return ['worker_not_script', 'The file is served as "' + response.headers.get('Content-Type')
      + '", not as text/javascript. ' + line()];
  }
  // Without comments; `//` behind a quote or a colon is a part of an address.
  const code = text.replace(/\/\*[^]*?\*\/|(^|[\s;{}(),])\/\/.*/g, ' ');
  if (!code.trim()) return ['worker_empty', 'The service worker file is empty. ' + line()];
  const widest = new URL(response.headers.get('Service-Worker-Allowed') || '.', file).href;
  if (error?.name === 'SecurityError' && !scope.startsWith(widest)) return outside(scope, widest);
  // The file is there, so that a browser that could not load it is not meant.
  if (error?.name === 'TypeError' && !/fetching the|load failed|timed out/i.test(error.message)) {
    const broken = await brokenPart(code, file, host);
    if (broken) return ['worker_broken', broken];
  }
  if (/smartpush|(?<!\bHOST)\/sdk\/v1\/sw\.js/i.test(code) || await mayHoldUs(code, registration, known)) return null;
  return ['worker_foreign', 'The service worker file does not import ours. Add ' + importLine
    + ' as its first line.'];
}

// Why a file that is there does not start, or ''. What it imports may be away for a moment, or be blocked here.
async function brokenPart(code, file, host) {
  for (const [, address] of code.matchAll(/\bimportScripts\s*\(\s*["'`]([^"'`]+)/g)) {
    const {href} = addressOf(address, file) || {};
    const {status = 999} = await ask(href) || await ask(href, {mode: 'no-cors'}) || {};
    const elsewhere = status === 999 && /\/sdk\/v1\//.test(href) && !href.startsWith(host);
    if (elsewhere || (status >= 400 && status < 500)) return 'The service worker file imports ' + address + ', which is not there.';
    if (status >= 500) return '';
  }
  return 'The service worker file ends with an error. See it in the developer tools, Service workers.';
}

const outside = (scope, folder) => ['worker_scope', 'The scope ' + scope + ' lies outside the worker file\'s folder '
  + folder + '. Leave the option scope out, move the file up, or send it with the header Service-Worker-Allowed.'];

const missing = (status) => ['worker_missing', 'There is no service worker file (' + status + '). ' + line()];

// A file that imports others may import ours through them. One that worked before, or is being renewed, gets the benefit.
async function mayHoldUs(text, registration, known) {
  if (!registration || !/\bimport/.test(text)) return false;
  if (registration.scope === known) return true;
  await registration.update().catch(() => {});
  return !!(registration.installing || registration.waiting);
}
