// The end user's consent to all of this. Without it nothing is sent, nothing stored and no worker registered.

const TOLD = 'told';

let consentWithheld = false;
let loaded;
const whenLoaded = new Promise((resolve) => { loaded = resolve; });

// Remembered until the server has it: the answer with its time and language.
function untoldConsent() {
  const {consent: given} = record;
  return given !== TOLD && given;
}

const consentPicture = (answer) => ({
  answer, at: new Date().toISOString(), language: options.language || navigator.language,
});

function start() {
  permitted = true;
  openGate();
  watchPage();
  // Commands that were queued together with init run first, so that identify goes out with the session.
  return new Promise((resolve) => setTimeout(() => resolve(wake())));
}

function consent(given) {
  if (typeof given !== 'boolean') throw invalid('consent');
  consentWithheld = !given;
  return inTurn(async () => {
    await whenLoaded;
    if (broken) throw notInitialised();
    if (!given) return withdraw();
    start();
    if (record.consent) return null;
    await saveRecord({consent: consentPicture('given')});
    // A session that is open already did not carry it; one that fails is opened again and does.
    if (await isOpen() && untoldConsent()) {
      await call('consents', {subject: 'tracking', ...untoldConsent()});
      await saveRecord({consent: TOLD});
    }
    return null;
  });
}

const notConsented = () => failure('consent_required', 'The end user has not consented.', {status: 403});

// From now on this page is silent: consent was withdrawn, here or in another tab, or init failed.
function fallSilent(refusal = notConsented()) {
  permitted = false;
  refuseGate(refusal);
  closeGate();
  if (broken) refuseGate(refusal);
  clearTimeout(wakeTimer);
  clearTimeout(renewal);
  session = null;
  held = null;
  if (current) dismiss();
  stopLeading();
}

async function withdraw() {
  const open = session;
  fallSilent();
  // A session that is on its way is ended too.
  await open?.catch(log);
  const told = credentials() && sendNow('consents', {subject: 'tracking', ...consentPicture('withdrawn')});
  const problem = told?.catch((error) => error);
  await dropSubscription().catch(log);
  await forgetStore();
  named = endUser = serverStatus = pushNow = optedOut = null;
  record = {};
  const failed = await problem;
  if (failed?.code) throw failed;
}

function forgetStore() {
  for (const name in memory) memory[name].clear();
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase('smartpush');
    request.onsuccess = request.onerror = request.onblocked = resolve;
  }).catch(log);
}

// Our subscription and our notifications go; the worker's registration and what others have on it stay.
async function dropSubscription() {
  const {scope} = record;
  const registration = scope && await navigator.serviceWorker.getRegistration(scope);
  if (!registration || registration.scope !== scope) return;
  for (const notification of await registration.getNotifications()) {
    if (notification.data?.smartpush) notification.close();
  }
  const subscription = await registration.pushManager.getSubscription();
  if (subscription && isOurs(subscription)) await subscription.unsubscribe();
}

whenForgotten = () => {
  if (permitted) fallSilent();
};
