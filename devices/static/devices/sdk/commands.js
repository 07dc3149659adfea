// The public face: smartpush('command', ...arguments).

// Every option there is, with what stands where a site gives none; what it gives is of the same type.
const OPTIONS = {
  serviceWorker: '/push/smartpush-sw.js', brand: '', host: '', scope: '', nonce: '', language: '',
  requireConsent: false, iosInstallHint: false, takeOverSubscription: false,
};
const LONG_HIDDEN = 30 * 60000;

async function init(given) {
  if (options && !broken) throw failure('already_initialised');
  if (broken) closeGate();
  broken = null;
  options = {...OPTIONS};
  const mine = attempt = {};
  const mistake = takeOptions(given);
  if (mistake) {
    await giveUp(mistake);
  } else {
    options.host = new URL(options.host).origin;
    permitted = !options.requireConsent && !consentWithheld;
    await loadRecord();
    loaded();
    if (!consentWithheld && (permitted || record.consent)) await start();
  }
  if (mine.error) throw mine.error;
  return {version: 1};
}

// Returns what is wrong with them, if anything is.
function takeOptions(given) {
  for (const name in given) {
    if (!(name in OPTIONS)) return failure('unknown_option', name);
    // A URL object stands for its address.
    const value = given[name]?.href ?? given[name] ?? OPTIONS[name];
    const type = typeof value;
    options[name] = value;
    if (type !== typeof OPTIONS[name] && type + name !== 'objectiosInstallHint') return failure('invalid_option', name);
  }
  const {brand, host} = options;
  if (!/^https?:/i.test(host) || !safeUrl(host)) return failure('host_invalid', host);
  // What is in no key is in no header either.
  return /^[\w-]+$/.test(brand) ? null : failure('brand_unknown', brand);
}

async function changeMarkers(operation, markers = []) {
  if (!/^(add|remove|replace|clear)$/.test(operation)) throw invalid('markers');
  await turn;
  await ensureSession();
  return (await call('markers', {operation, markers: [].concat(markers)})).markers;
}

// Runs inside the click up to askPermission(): nothing may be awaited before it.
function requestPushPermission() {
  demandPermission();
  const missing = missingSupport();
  if (missing) return {...statusPicture(), status: 'not_supported', reason: missing};
  if (Notification.permission === 'default' && navigator.userActivation?.isActive === false) {
    throw failure('gesture_required');
  }
  return afterQuestion(askPermission());
}

async function afterQuestion(asked) {
  asking = true;
  try {
    await asked.catch(log);
    await gate;
    await readAnswered();
    await reportStatus('sdk_call');
  } finally {
    asking = false;
  }
  return statusPicture();
}

async function getStatus() {
  await callPreferences('preferences/read', {tab}).catch(log);
  return statusPicture();
}

function on(name, handler) {
  if (!Object.hasOwn(handlers, name) || typeof handler !== 'function') throw invalid('on');
  handlers[name].push(handler);
  if (name === 'error' && broken?.told) safely(() => handler(errorDetail(broken)));
}

function off(name, handler) {
  if (Object.hasOwn(handlers, name)) handlers[name] = handlers[name].filter((known) => handler && known !== handler);
}

const debug = (wanted) => { debugging = wanted !== false; };
const afterInit = (work) => (...parameters) => gate.then(() => work(...parameters));

const COMMANDS = {
  init, on, off, debug, consent, requestPushPermission, openPreferences,
  identify: afterInit(identify),
  logout: afterInit(logout),
  event: afterInit(sendEvent.bind(null, 'event')),
  action: afterInit(sendEvent.bind(null, 'action')),
  markers: afterInit(changeMarkers),
  getStatus: afterInit(getStatus),
  optOut: afterInit(optOut),
  showInstallHint: afterInit(showInstallHint),
  suspendPopups: afterInit(suspendPopups),
};

function smartpush(name, ...parameters) {
  const result = new Promise((resolve) => {
    if (!Object.hasOwn(COMMANDS, name)) throw failure('unknown_command', '' + name);
    resolve(COMMANDS[name](...parameters));
  }).catch(explained);
  // Nobody has to catch: an unhandled rejection would end in the site's own error log.
  result.catch(complain);
  return result;
}

// The words for a mistake in a call lie with what is rare.
async function explained(error) {
  if (/^(invalid_a|unknown_c|gesture|already|not_i)/.test(error.code)) await explain(error);
  throw error;
}

let asking = false;
let watching = false;
let hiddenSince = 0;

async function renewSession() {
  await turn;
  // Whoever identified when this page was loaded may have logged out in another tab since.
  await openSession('session', null);
}

function watchPage() {
  if (watching) return;
  watching = true;
  addEventListener('pageshow', (event) => {
    if (event.persisted) renewSession().catch(wakeLater);
  });
  addEventListener('online', () => {
    failures = 0;
    wake();
  });
  addEventListener('pagehide', stopLeading);
  document.addEventListener('visibilitychange', () => {
    if (!visible()) {
      hiddenSince = Date.now();
      stopLeading();
      schedulePoll();
      return;
    }
    lead();
    keepProven();
    resumePopups();
    if (hiddenSince && Date.now() - hiddenSince > LONG_HIDDEN) renewSession().catch(wakeLater);
  });
  watchPermission();
  watchWorker();
}

// The end user may change the permission in the browser's own settings while the page is open.
function watchPermission() {
  // Where there is no such news the next session tells.
  navigator.permissions?.query({name: 'notifications'})
    .then((permission) => permission.addEventListener('change', () => safely(noticePermission))).catch(log);
}

async function noticePermission() {
  if (asking || !permitted || (current && !current.view)) return;
  await ensureSession();
  const before = pushNow.permission;
  await readPush();
  if (pushNow.permission !== before) await reportStatus('session');
}

function watchWorker() {
  const {serviceWorker} = navigator;
  serviceWorker?.addEventListener('message', ({data, ports}) => {
    const message = data?.smartpush;
    if (!message) return;
    if (message.type === 'push') emit('push', message.detail);
    if (message.type === 'click') {
      const taken = followClick({...message.detail, source: 'push'}, true);
      ports[0]?.postMessage(taken);
    }
  });
  serviceWorker?.startMessages();
}

if (!window.smartpush?.loaded) {
  const queued = window.smartpush?.q || [];
  window.smartpush = smartpush;
  smartpush.loaded = true;
  for (const parameters of queued) smartpush(...parameters);
}
