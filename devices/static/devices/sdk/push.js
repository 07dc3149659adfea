// The truth about push in this browser: permission, subscription, and why not.

// How often a new worker is looked at before it is given up: 10 s.
const MOST_LOOKS = 333;
const ANSWER_TIMEOUT = 300;
const SUBSCRIBE_TIMEOUT = 20000;
const SHOW_REFUSED_FOR = 7 * 24 * 3600 * 1000;

let registering;

// Resolves with a registration that has an active worker.
function workerRegistration() {
  registering = registering || registerWorker().catch((error) => {
    registering = null;
    throw error;
  });
  return registering;
}

async function registerWorker() {
  let href;
  let registration;
  try {
    ({href} = new URL(options.serviceWorker, location.href));
    registration = await navigator.serviceWorker.register(href, {scope: new URL(options.scope || '.', href).href});
    // Looked at, not listened to: another page may install the same worker, and its news may have come before.
    for (let looks = 0; !registration.active; looks += 1) {
      if (looks > MOST_LOOKS || !(registration.installing || registration.waiting)) throw Error('failed to install');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    // Asked once of each file: an answer shows that our part is in it, silence throws null.
    if (record.worker !== href) await within(ANSWER_TIMEOUT, answerOf(registration.active), null);
  } catch (error) {
    const found = await askRare('workerProblem', registration, error);
    if (found || error) throw found ? failure(...found) : error;
  }
  await saveRecord({scope: registration.scope, worker: href});
  return registration;
}

const answerOf = (worker) => new Promise((resolve) => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = resolve;
  worker.postMessage({smartpush: {type: 'ping'}}, [port2]);
});

// Why this page can have no push at all, or ''.
function missingSupport() {
  if (!window.isSecureContext) return 'insecure_context';
  const supported = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
  const installed = navigator.standalone || matchMedia('(display-mode: standalone)').matches;
  if (!supported && detectSystem() === 'ios' && !installed) return 'ios_not_installed';
  return supported ? '' : 'no_api';
}

function pushPicture(status, reason = '', subscription = null) {
  const permission = missingSupport() ? 'unsupported' : Notification.permission;
  return {status, reason, permission, subscription};
}

// Three doors to the same answer. A browser or extension that says one thing at one and another at the next
// cannot be relied on. The permission may change while they are read, so a first mismatch is read again.
async function contradicts(registration, again) {
  const answers = [Notification.permission];
  try {
    answers.push((await navigator.permissions.query({name: 'notifications'})).state);
  } catch { /* not every browser knows this name */ }
  try {
    answers.push(await registration.pushManager.permissionState({userVisibleOnly: true}));
  } catch { /* older Safari has no such method */ }
  const agreed = answers.every((answer) => answer.replace('prompt', 'default') === answers[0]);
  return !agreed && (again || contradicts(registration, true));
}

// What this page sees now. Where permission is granted it subscribes silently if there is no subscription, and
// `renew` asks for a new one in any case.
async function readPush(renew) {
  demandPermission();
  await loadRecord();
  pushNow = await inspectPush(renew);
  log(pushNow);
  return pushNow;
}

async function inspectPush(renew) {
  const missing = missingSupport();
  if (missing) return pushPicture('not_supported', missing);
  let registration;
  try {
    registration = await workerRegistration();
  } catch (error) {
    await giveUp(error);
    if (broken) throw error;
    complain(failure('service_worker_failed', options.serviceWorker + ': ' + error.message));
    return pushPicture('not_supported', 'worker_failed');
  }
  if (await contradicts(registration)) return pushPicture('not_supported', 'contradictory');
  if (Notification.permission === 'denied') return pushPicture('blocked');
  if (Notification.permission === 'default') return pushPicture('ask');
  return subscribe(registration, renew);
}

async function subscribe(registration, renew) {
  const {vapid_key: key, show_refused: refusedAt} = record;
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && (renew || (key && keyOf(subscription) !== key))) {
    const ours = isOurs(subscription);
    if (!ours && !options.takeOverSubscription) return pushPicture('not_supported', 'foreign_subscription');
    if (!ours) {
      console.info('[smartpush] takes over the push subscription of another service.');
      tellStatus({tookOver: true});
    }
    await subscription.unsubscribe();
    subscription = null;
  }
  if (!subscription) {
    // The key comes with the first session's answer, and the server then asks for the subscription.
    if (!key) return pushPicture('ask', 'subscription_missing');
    try {
      subscription = await within(SUBSCRIBE_TIMEOUT, registration.pushManager.subscribe({
        userVisibleOnly: true, applicationServerKey: fromBase64Url(key),
      }));
    } catch (error) {
      log(error);
      return pushPicture('not_supported', 'subscribe_refused');
    }
    await rememberSubscription({endpoint: subscription.endpoint, vapid_key: key});
  }
  if (refusedAt > Date.now() - SHOW_REFUSED_FOR) return pushPicture('not_supported', 'show_refused');
  return pushPicture('allowed', '', {
    endpoint: subscription.endpoint,
    p256dh: toBase64Url(subscription.getKey('p256dh')),
    auth: toBase64Url(subscription.getKey('auth')),
    vapid_key: keyOf(subscription),
  });
}

// The application server key of a subscription; some browsers do not tell it, then our own note of it serves.
function keyOf(subscription) {
  const told = toBase64Url(subscription.options?.applicationServerKey);
  const {endpoint, endpoint_key: noted} = record;
  return told || (endpoint === subscription.endpoint ? noted : '') || '';
}

function isOurs(subscription) {
  const key = keyOf(subscription);
  const {endpoint, endpoint_key: noted, vapid_key: active} = record;
  return endpoint === subscription.endpoint || (key !== '' && (key === noted || key === active));
}

const rememberSubscription = ({endpoint, vapid_key: key}) => saveRecord({
  endpoint, endpoint_key: key, show_refused: 0,
});

// Asks the browser's own question. It must be the first thing that a click does: an await before it loses the
// gesture. Old Safari knows only the callback form.
function askPermission() {
  return new Promise((resolve, reject) => {
    const answer = Notification.requestPermission(resolve);
    if (answer) answer.then(resolve, reject);
  });
}
