// Events and popup outcomes on their way to the server: written down first, sent at once, and again when that failed.

const ADOPT_AFTER = 30000;
const BATCH = 50;
const LONGEST_WAIT = 300000;

const waiting = new Map();
let flushing;
let again = false;
let failures = 0;
let blockedUntil = 0;
let wakeTimer;

// Whose words these are: an event of one end user is never sent in the session of another.
function author() {
  if (named) return {external: named.externalId};
  const {user, anonymous, leaving} = record;
  return leaving ? {} : {id: user, anonymous};
}

function isAuthorHere({id, anonymous, external}) {
  if (external) return external === endUser.externalId;
  return !id || anonymous || id === endUser.id;
}

// Resolves with the server's word on this item, or with {queued: true} when it has to wait.
async function submit(item) {
  const id = item.id || randomId();
  const result = new Promise((resolve, reject) => waiting.set(id, {resolve, reject}));
  await queueAdd({...item, id, tab, key: recordKey(), author: item.author || author()});
  flush().catch((error) => error).then((error) => {
    if (broken || (error && !isTemporary(error) && !isUnproven(error))) return forget([{id}], 'reject', () => error);
    return settle(id, 'resolve', {queued: true});
  });
  return result;
}

function settle(id, how, value) {
  const promise = waiting.get(id);
  waiting.delete(id);
  promise?.[how](value);
}

// Sends all that is this page's, and what other pages left behind; callers during a run are served by the next one.
function flush() {
  if (flushing) {
    again = true;
    return flushing;
  }
  flushing = (async () => {
    try {
      do {
        again = false;
        await flushOnce();
      } while (again);
      failures = 0;
    } catch (error) {
      wakeLater(error);
      throw error;
    } finally {
      flushing = null;
    }
  })();
  return flushing;
}

async function flushOnce() {
  if (Date.now() < blockedUntil) throw failure('rate_limited', '', {status: 429});
  await turn;
  await ensureSession();
  for (;;) {
    const items = (await queueRead()).filter((item) => item.key === recordKey()
      && (item.tab === tab || item.at < Date.now() - ADOPT_AFTER));
    if (!items.length) break;
    const [first] = items;
    const batch = first.event ? items.filter((item) => item.event).slice(0, BATCH) : [first];
    await sendBatch(batch);
  }
  await sendReports();
}

async function sendBatch(items) {
  const foreign = items.filter((item) => !isAuthorHere(item.author));
  const batch = items.filter((item) => !foreign.includes(item));
  await forget(foreign, 'reject', () => failure('end_user_changed', 'Another end user is here.'));
  if (!batch.length) return;
  const [first] = batch;
  let answer;
  try {
    answer = first.event
      ? await call('events', {tab, events: batch.map((item) => item.event)})
      : await call(first.path, {tab, ...first.body});
  } catch (error) {
    if (isTemporary(error)) throw error;
    complain(error);
    await forget(batch, 'reject', () => error);
    return;
  }
  for (const {index, code, message} of answer.errors || []) {
    const error = failure(code, message);
    complain(error);
    settle(batch[index].id, 'reject', error);
  }
  await forget(batch, 'resolve', () => ({queued: false}));
  takeAnswer(answer);
}

async function forget(items, how, value) {
  for (const item of items) {
    await storeDelete('queue', item.id);
    settle(item.id, how, value());
  }
}

// Tries again later: sooner after a first failure, never before the server's Retry-After.
function wakeLater(error, soon) {
  if (!permitted) return;
  if (!soon && !isTemporary(error)) {
    complain(error);
    return;
  }
  failures += 1;
  const wait = Math.min(LONGEST_WAIT, 1000 * 2 ** failures) * (0.5 + Math.random() / 2);
  if (error.retryAfter) blockedUntil = Date.now() + error.retryAfter;
  log(error);
  clearTimeout(wakeTimer);
  wakeTimer = setTimeout(wake, Math.max(soon ? 0 : wait, error.retryAfter || 0));
}

function wake() {
  clearTimeout(wakeTimer);
  return flush().catch(() => {});
}

// A copy by JSON: the page may change its object before it is sent, and must learn at once that it cannot be.
const toJson = (value) => JSON.parse(JSON.stringify(
  value, (key, part) => (typeof part === 'bigint' ? String(part) : part),
));

function sendEvent(kind, name, properties = {}) {
  if (typeof name !== 'string' || !name) {
    throw invalid(kind);
  }
  const id = randomId();
  const event = {id, name, properties, occurred_at: new Date().toISOString(), kind};
  return submit({id, event: toJson(event)});
}
