// The public face: smartpush('command', ...arguments).

const DEFAULTS = {serviceWorker: '/push/smartpush-sw.js', takeOverSubscription: false};
const LONG_HIDDEN = 30 * 60000;
const MARKER_OPERATIONS = ['add', 'remove', 'replace', 'clear'];

async function init(given = {}) {
  if (options) throw failure('already_initialised', 'init was called before.');
  if (!given.brand || !given.host) throw failure('invalid_argument', 'init needs brand and host.');
  if (!safeUrl(given.host)) throw failure('invalid_argument', 'host must be an https address.');
  options = {...DEFAULTS, ...given, host: new URL(given.host, location.href).origin};
  permitted = !given.requireConsent && !consentWithheld;
  await loadRecord();
  if (!consentWithheld && (permitted || record.consent)) start();
  loaded();
  return {version: 1};
}

async function changeMarkers(operation, markers = []) {
  if (!MARKER_OPERATIONS.includes(operation)) {
    throw failure('invalid_argument', 'markers takes ' + MARKER_OPERATIONS.join(', ') + '.');
  }
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
    throw failure('gesture_required', 'Call requestPushPermission directly from a click.');
  }
  return afterQuestion(askPermission());
}

async function afterQuestion(asked) {
  asking = true;
  try {
    await asked.catch((error) => log(error));
    await gate;
    await readAnswered();
    await reportStatus('sdk_call');
  } finally {
    asking = false;
  }
  return statusPicture();
}

async function getStatus() {
  await callPreferences('preferences/read', {tab}).catch((error) => log(error));
  return statusPicture();
}

function on(name, handler) {
  if (!EVENT_NAMES.includes(name) || typeof handler !== 'function') {
    throw failure('invalid_argument', 'on takes one of ' + EVENT_NAMES.join(', ') + ' and a function.');
  }
  handlers.set(name, [...(handlers.get(name) || []), handler]);
}

function off(name, handler) {
  handlers.set(name, (handlers.get(name) || []).filter((known) => handler && known !== handler));
}

const debug = (wanted) => { debugging = wanted !== false; };
const afterInit = (work) => (...parameters) => gate.then(() => work(...parameters));

const COMMANDS = {
  init, on, off, debug, consent, requestPushPermission, openPreferences,
  identify: afterInit(identify),
  logout: afterInit(logout),
  event: afterInit((name, properties) => sendEvent('event', name, properties)),
  action: afterInit((name, properties) => sendEvent('action', name, properties)),
  markers: afterInit(changeMarkers),
  getStatus: afterInit(getStatus),
  optOut: afterInit(optOut),
  showInstallHint: afterInit(showInstallHint),
  suspendPopups: afterInit(suspendPopups),
};

function smartpush(name, ...parameters) {
  const result = new Promise((resolve, reject) => {
    if (!Object.hasOwn(COMMANDS, name)) reject(failure('unknown_command', 'Unknown command: ' + name));
    else resolve(COMMANDS[name](...parameters));
  });
  // Nobody has to catch: an unhandled rejection would end in the site's own error log.
  result.catch(complain);
  return result;
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
async function watchPermission() {
  try {
    const permission = await navigator.permissions.query({name: 'notifications'});
    permission.addEventListener('change', () => safely(noticePermission));
  } catch { /* the next session tells */ }
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
