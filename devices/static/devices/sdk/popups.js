// Popup offers: fetched while somebody looks, drawn once, answered once.

const BURST = [500, 500, 1000, 2000];
const IDLE_SECONDS = 30;
const UNPROVEN_SECONDS = 300;
// Firefox leaves the promise open when its question is waved away.
const QUESTION_PATIENCE = 60000;
const CLICK_PATIENCE = 400;
const IMAGE_PATIENCE = 1500;

let pollAfter = IDLE_SECONDS;
let pollTimer;
let burst = BURST.length;
let suspended = false;
let held = null;
let current = null;
let leading = false;
let letGo = null;
let candidacy = null;

const visible = () => document.visibilityState === 'visible';

// One tab of the site polls: the one where something happened last. The lease on the server decides in the end.
function lead(steal) {
  if (leading || (candidacy && !steal)) return;
  if (!navigator.locks) {
    leading = true;
    return;
  }
  candidacy?.abort();
  candidacy = new AbortController();
  const how = steal ? {steal: true} : {signal: candidacy.signal};
  navigator.locks.request('smartpush-poll|' + recordKey(), how, () => {
    candidacy = null;
    if (!visible()) return null;
    leading = true;
    schedulePoll();
    return new Promise((resolve) => { letGo = resolve; });
  }).catch((error) => {
    // Another tab took over, or this one gave up: queue for the day that tab goes.
    if (error.name !== 'AbortError') {
      leading = true;
      schedulePoll();
    } else if (leading) {
      leading = false;
      letGo = null;
      if (visible()) lead();
    }
  });
}

function stopLeading() {
  candidacy?.abort();
  candidacy = null;
  leading = false;
  letGo?.();
  letGo = null;
}

function somethingHappened() {
  burst = 0;
  if (visible()) lead(true);
  schedulePoll();
}

function schedulePoll() {
  clearTimeout(pollTimer);
  // A tab that shows a popup asks whether that was taken back, and so keeps it.
  if (!session || !visible() || suspended || !(current ? current.view : leading)) return;
  const idle = Math.max(IDLE_SECONDS, pollAfter) * 1000;
  // A server that asks for more patience than usual gets it at once.
  const wait = current || pollAfter > IDLE_SECONDS || burst >= BURST.length ? idle : BURST[burst];
  pollTimer = setTimeout(poll, Math.max(wait, blockedUntil - Date.now()));
}

async function poll() {
  burst += 1;
  try {
    const offer = current?.offer?.id;
    const answer = await call('popups/poll', {tab, offer});
    if (answer.poll_after) pollAfter = answer.poll_after;
    // The end user opted out, here or elsewhere, or the campaign was stopped.
    if (answer.withdrawn && current?.offer?.id === offer) {
      dismiss();
      emit('popup', {offer, state: 'withdrawn'});
    }
    if (answer.popup) considerOffer(answer.popup);
  } catch (error) {
    log(error);
    burst = BURST.length;
    // Nobody has proven yet who is here: a page that does so polls anew.
    if (isUnproven(error)) pollAfter = UNPROVEN_SECONDS;
    if (error.retryAfter) blockedUntil = Date.now() + error.retryAfter;
  }
  schedulePoll();
}

function suspendPopups(on) {
  suspended = on !== false;
  current?.view?.hide(suspended);
  resumePopups();
}

function resumePopups() {
  const offer = held;
  held = null;
  if (current) poll();
  if (offer?.until > Date.now()) considerOffer(offer.offer, offer.until);
  schedulePoll();
}

async function considerOffer(offer, until) {
  if (current || !permitted) return;
  if (suspended || !visible()) {
    held = {offer, until: until || Date.now() + (offer.lease_seconds || IDLE_SECONDS) * 1000};
    return;
  }
  const shown = {offer};
  current = shown;
  schedulePoll();
  try {
    if (await answeredAlready(offer)) return;
    const image = await loadImage(offer.content.image);
    await call('popups/shown', {tab, offer: offer.id});
    if (current !== shown) return;
    shown.view = drawSimple(offer.content, image, {
      primary: () => takePrimary(offer),
      later: () => finish(offer, 'later'),
      close: () => finish(offer, 'closed'),
    });
    shown.view.hide(suspended);
    schedulePoll();
    emit('popup', {offer: offer.id, state: 'shown'});
  } catch (error) {
    // 409: another tab shows it, or it is over.
    log(error);
    if (error.status !== 409) complain(error);
    dismiss();
  }
}

// The question is superfluous where the browser has its answer already.
async function answeredAlready(offer) {
  const {kind} = offer.content.primary;
  if (kind !== 'permission') return false;
  const push = await readPush();
  if (push.status === 'ask') return false;
  // Categories can be changed by whoever has allowed already.
  if (push.status === 'allowed' && offer.content.categories) return false;
  const outcome = {allowed: 'allowed', blocked: 'blocked'}[push.status] || 'no_answer';
  await finish(offer, outcome, withPush(push));
  return true;
}

function loadImage(address) {
  const source = address && safeUrl(address);
  if (!source) return null;
  return new Promise((resolve) => {
    const image = new Image();
    setTimeout(resolve, IMAGE_PATIENCE, null);
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.alt = '';
    image.src = source;
  });
}

function dismiss() {
  current?.view?.remove();
  current = null;
  somethingHappened();
}

// The popup goes away unanswered because its end user does.
async function withdrawPopup() {
  held = null;
  if (!current) return;
  const {offer} = current;
  dismiss();
  if (offer) await call('popups/outcome', {tab, offer: offer.id, outcome: 'no_answer'}).catch(log);
}

function finish(offer, outcome, more) {
  dismiss();
  emit('popup', {offer: offer.id, state: outcome});
  const body = {offer: offer.id, outcome, ...more};
  return submit({path: 'popups/outcome', body}).catch(log);
}

// Called by the click itself, so that the browser's question still counts as asked for.
function takePrimary(offer) {
  const {primary: {kind, url, outcome = 'clicked'}, categories} = offer.content;
  const chosen = categories && {categories: current.view.chosen()};
  if (kind === 'permission') {
    const asked = askPermission();
    current.view.remove();
    current.view = null;
    return settleQuestion(asked, offer, chosen);
  }
  const sent = finish(offer, outcome, chosen);
  const target = url && safeUrl(url, record.hosts);
  if (!target) return sent;
  // The outcome is written down and on its way; nobody waits for its answer before the page opens.
  const follow = () => followClick({url: target, source: 'popup', id: offer.id});
  return within(CLICK_PATIENCE, sent).then(follow, follow);
}

// Waits for the end user's answer to the browser's question; silence is a dismissal, a late answer still counts.
async function settleQuestion(asked, offer, chosen) {
  let settled = false;
  const giveUp = (leaving) => {
    if (settled) return;
    settled = true;
    const more = {...chosen, ...withPush(pushPicture('ask', 'permission_default_after_prompt'))};
    if (!leaving) {
      finish(offer, 'dismissed', more);
      return;
    }
    // A page that goes away has time for one request and for no database.
    call('popups/outcome', {tab, offer: offer.id, outcome: 'dismissed', ...more}).catch(log);
    dismiss();
  };
  const timer = setTimeout(giveUp, QUESTION_PATIENCE);
  addEventListener('pagehide', giveUp);
  const answer = await asked.catch(() => Notification.permission);
  clearTimeout(timer);
  removeEventListener('pagehide', giveUp);
  const late = settled;
  settled = true;
  const push = await readAnswered();
  if (late) {
    if (answer !== 'default') await reportStatus('popup', offer.id);
    return;
  }
  const outcome = {allowed: 'allowed', blocked: 'blocked'}[push.status] || 'dismissed';
  await finish(offer, outcome, {...chosen, ...withPush(push)});
}

// What the browser says after its question was answered.
async function readAnswered() {
  // The key to subscribe with comes with the session.
  await turn;
  await ensureSession().catch(() => {});
  const push = await readPush();
  if (push.status === 'ask' && !push.reason) push.reason = 'permission_default_after_prompt';
  // Handlers hear the server's word on it, which comes with the answer to the report.
  return push;
}

// Opens a clicked address, unless a handler of the site says that it has (true, or preventDefault()).
function followClick(detail, here) {
  let prevented = false;
  const taken = emit('click', {...detail, preventDefault: () => { prevented = true; }});
  if (!taken && !prevented && !here) location.assign(detail.url);
  return taken || prevented;
}
