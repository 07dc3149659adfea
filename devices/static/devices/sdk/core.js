// The state of this page, its events and its log.

const LOCK_PATIENCE = 8000;

const tab = randomId();
const handlers = {status: [], popup: [], push: [], click: [], error: []};
// What init was given, what is stored of this installation, and who identify() named on this page.
let options = null;
let record = {};
let named = null;
// The identity that the open session was told, what this page sees of push, and what the server last said.
let toldIdentity = null;
let pushNow = null;
let serverStatus = null;
let endUser = null;
let optedOut = null;
let debugging = false;
// Why init failed for good. Until it is called anew this page sends nothing, and every call is refused.
let broken = null;
// The call of init that counts: what failed belongs to it, also when a handler calls init again at once.
let attempt;

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
  if (!options || broken) throw notInitialised();
  if (!permitted) throw notConsented();
}

const invalid = (command) => failure('invalid_argument', command);

function log(...parts) {
  if (debugging) console.debug('[smartpush]', ...parts);
}

// Handlers are the site's code: what they throw must not stop ours. True when one of them took the matter over.
function emit(name, detail) {
  log(name, detail);
  let taken = false;
  for (const handler of [...handlers[name]]) {
    try {
      if (handler(detail) === true) taken = true;
    } catch (error) {
      console.error(error);
    }
  }
  return taken;
}

const notInitialised = () => failure('not_initialised', broken?.code);

const errorDetail = ({code, message}) => ({code: code || 'internal', message});

// Handlers hear of each error once, however many calls it ends.
function complain(error) {
  if (!error.told) emit('error', errorDetail(error));
  error.told = true;
}

// What the site has to mend: the page, its worker file, or what is registered in the back office.
const MISTAKES = /^(origin_n|brand_|host_|worker_|.+_option|not_found|http_404)/;
const ADVICE_PATIENCE = 700;

// What a function of what is rare says, where that file comes in time: init is to fail within a second.
const askRare = (name, ...more) => within(ADVICE_PATIENCE, loadRare())
  .then((rare) => rare[name](options, record, ...more)).catch(log);

// Puts what happened and what to do into the error's message, or leaves the code and the server's words.
async function explain(error) {
  error.message = await askRare('advice', error) || error.message;
}

// A mistake of the site's ends everything on this page and is one line on the console, with what to do about it.
async function giveUp(error) {
  // Before the server's first answer to this page, what init was given may be why there is none.
  if (!endUser && /^(network|http_)/.test(error.code)) {
    Object.assign(error, await askRare('hostProblem', scriptUrl));
  }
  if (broken || !MISTAKES.test(error.code)) return;
  broken = attempt.error = error;
  loaded();
  fallSilent(notInitialised());
  await explain(error);
  console.error('[smartpush] ' + error.code + ': ' + error.message);
  complain(error);
}

// Starts work that nobody waits for: its failure is told to the site's handlers and goes no further.
function safely(work) {
  new Promise((resolve) => resolve(work())).catch(complain);
}

const recordKey = () => options.host + '|' + options.brand;

async function loadRecord() {
  record = (await storeGet('installations', recordKey())) || {};
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
  let started = false;
  const signal = AbortSignal.timeout?.(LOCK_PATIENCE);
  try {
    return await navigator.locks.request('smartpush-' + name + '|' + recordKey(), {signal}, () => {
      started = true;
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
