// The state of this page, its events and its log.

const EVENT_NAMES = ['status', 'popup', 'push', 'click', 'error'];
const BLANK_RECORD = {};
const LOCK_PATIENCE = 8000;

const tab = randomId();
const handlers = new Map();
// What init was given, what is stored of this installation, and who identify() named on this page.
let options = null;
let record = BLANK_RECORD;
let named = null;
// The identity that the open session was told, what this page sees of push, and what the server last said.
let toldIdentity = null;
let pushNow = null;
let serverStatus = null;
let endUser = null;
let optedOut = null;
let debugging = false;

// Calls wait at the gate until init, and consent where it is asked for; what is refused with it is forgotten.
let gate;
let openGate;
let refuseGate;

function closeGate() {
  gate = new Promise((resolve, reject) => {
    openGate = resolve;
    refuseGate = reject;
  });
  gate.catch(() => {});
}

closeGate();

function demandPermission() {
  if (!options) throw failure('not_initialised', 'Call init first.');
  if (!permitted) throw failure('consent_required', 'The end user has not consented.', {status: 403});
}

function log(...parts) {
  if (debugging) console.debug('[smartpush]', ...parts);
}

// Handlers are the site's code: what they throw must not stop ours. True when one of them took the matter over.
function emit(name, detail) {
  log(name, detail);
  let taken = false;
  for (const handler of [...(handlers.get(name) || [])]) {
    try {
      if (handler(detail) === true) taken = true;
    } catch (error) {
      console.error(error);
    }
  }
  return taken;
}

function complain(error) {
  emit('error', {code: error.code || 'internal', message: error.message});
}

// Starts work that nobody waits for: its failure is told to the site's handlers and goes no further.
function safely(work) {
  new Promise((resolve) => resolve(work())).catch(complain);
}

const recordKey = () => options.host + '|' + options.brand;

async function loadRecord() {
  record = (await storeGet('installations', recordKey())) || BLANK_RECORD;
}

async function saveRecord(changes) {
  record = {...record, ...changes};
  await storePatch('installations', recordKey(), {
    ...changes, host: options.host, brand: options.brand,
  });
}

function credentials() {
  const {id, secret} = record;
  return id && secret ? {id, secret} : null;
}

// Runs `work` while no other tab of this site runs work of the same name, where the browser has Web Locks.
// A tab that hangs must not hold up the others, so that the turn is waited for a few seconds only.
async function alone(name, work) {
  if (!navigator.locks) return work();
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), LOCK_PATIENCE);
  let started = false;
  try {
    return await navigator.locks.request('smartpush-' + name + '|' + recordKey(), {signal: patience.signal}, () => {
      started = true;
      clearTimeout(timer);
      return work();
    });
  } catch (error) {
    if (started) throw error;
    return work();
  }
}

// Rejects with `late` when `promise` takes longer than `time` milliseconds.
function within(time, promise, late) {
  return Promise.race([promise, new Promise((resolve, reject) => setTimeout(reject, time, late))]);
}

// What getStatus and the status event tell the site.
function statusPicture() {
  const push = pushNow || {};
  return {
    status: serverStatus || push.status || null,
    reason: push.reason || '',
    permission: push.permission || 'unsupported',
    endUser: endUser && {...endUser},
    optedOut,
  };
}

let lastTold = '';

function tellStatus(extra) {
  const picture = statusPicture();
  const told = JSON.stringify(picture);
  if (told !== lastTold || extra) emit('status', {...picture, ...extra});
  lastTold = told;
}
