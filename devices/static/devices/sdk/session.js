// Who is here: the session of this page, identify, logout, and what the server answers to them.

const TOKEN_PATIENCE = 10000;
// An identity token is used until so long before it expires, and renewed no more often than that.
const TOKEN_MARGIN = 60000;
const LONGEST_TIMER = 1e9;

let session;
let turn = Promise.resolve();

let renewal;

const sendNow = (path, body) => post(
  options.host + '/api/v1/sdk/' + path, {installation: credentials(), ...body}, options.brand,
);

async function send(path, body) {
  demandPermission();
  log(path);
  try {
    const answer = await sendNow(path, body);
    // What the server could not keep of this call: the rest it took.
    answer.left_out?.forEach(complain);
    return answer;
  } catch (error) {
    await giveUp(error);
    throw error;
  }
}

// identify and logout change who the end user is: one after the other, in the order they were called.
function inTurn(work) {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

// A call of an open session. An installation that the server no longer knows is replaced once, a proof of identity
// that has lapsed is renewed once.
async function call(path, body) {
  const identity = named;
  const used = record.id;
  const token = identity?.token;
  try {
    return await send(path, body);
  } catch (error) {
    if (isUnproven(error) && identity?.getToken) {
      if (identity.token === token) {
        identity.until = 0;
        await openNamed('identify', identity);
      }
    } else if (error.code !== 'installation_unknown') {
      throw error;
    } else if (record.id === used) {
      await forgetInstallation();
      session = null;
    }
    await ensureSession();
    return send(path, body);
  }
}

const forgetInstallation = () => saveRecord({id: null, secret: null});

// Resolves when this page has a session; what failed once is tried anew by the next caller.
function ensureSession() {
  return session || openSession('session', named);
}

// Whether a session is open, once one that is on its way has come.
const isOpen = () => session?.then(() => true, () => false);

// `path` is session, identify or logout; `identity` is told to the server when identify() gave one on this page.
function openSession(path, identity) {
  const opened = alone('session', () => requestSession(path, identity)).then(followUp).catch((error) => {
    if (session === opened) session = null;
    throw error;
  });
  session = opened;
  return opened;
}

async function requestSession(path, identity) {
  await readPush();
  if (record.leaving) {
    const left = await leave();
    // A logout of an earlier page that found no network: this page's session is still to be told.
    if (left && path === 'logout') return left;
    path = 'session';
  }
  let renewed = false;
  for (;;) {
    try {
      const body = await sessionBody(identity);
      const answer = await takeSession(await send(path, body), identity);
      if (body.consent) await saveRecord({consent: TOLD});
      return answer;
    } catch (error) {
      if (error.code === 'installation_unknown' && credentials()) {
        await forgetInstallation();
        path = 'session';
        identity = identity || named;
      } else if (isUnproven(error) && identity?.getToken && !renewed) {
        renewed = true;
        identity.until = 0;
      } else {
        throw error;
      }
    }
  }
}

async function sessionBody(identity) {
  const body = {
    external_id: null,
    language: options.language || undefined,
    ...withPush(pushNow),
    // Queries and fragments carry tokens and personal data on some sites; they are not ours to collect.
    page: {url: location.origin + location.pathname},
    tab,
  };
  // The proof of consent goes with the first session after it.
  if (untoldConsent()) body.consent = untoldConsent();
  if (!identity) return body;
  body.external_id = identity.externalId;
  body.language = identity.language || body.language;
  body.properties = identity.properties;
  if (identity.getToken) body.identity_token = await tokenOf(identity);
  return body;
}

// The token that getToken gave last, or a new one when that is about to expire or was refused.
async function tokenOf(identity) {
  if (identity.until > Date.now()) return identity.token;
  try {
    identity.token = await within(TOKEN_PATIENCE, identity.getToken(), Error('no answer'));
  } catch (error) {
    throw failure('get_token_failed', 'getToken() failed: ' + error?.message);
  }
  try {
    // Read as single bytes: `exp` is a number, whatever the other claims are written in.
    identity.until = JSON.parse(decoded(identity.token.split('.')[1])).exp * 1000 - TOKEN_MARGIN;
  } catch {
    // Whatever cannot be read is asked for each time.
    identity.until = 0;
  }
  return identity.token;
}

// While somebody looks, the proof of identity is renewed before it lapses.
function keepProven() {
  clearTimeout(renewal);
  const identity = named;
  if (!identity?.until) return;
  const wait = Math.max(identity.until - Date.now(), TOKEN_MARGIN / 4);
  renewal = setTimeout(() => {
    if (visible() && identity === named) inTurn(() => openNamed('identify', identity));
  }, Math.min(wait, LONGEST_TIMER));
}

// Writes down the answer to session, identify and logout.
async function takeSession(answer, identity) {
  const {installation, end_user: user, click_hosts: hosts, vapid_key} = answer;
  await saveRecord({
    user: user.id, anonymous: user.anonymous, leaving: false, ...installation, ...(hosts && {hosts}), ...(vapid_key && {vapid_key}),
  });
  toldIdentity = identity;
  keepProven();
  // What somebody else wished is not this end user's.
  if (endUser?.id !== user.id) optedOut = null;
  endUser = {id: user.id, anonymous: user.anonymous, externalId: user.external_id || null};
  await takeSubscription(answer);
  return answer;
}

// The server took the subscription as its own: from here on it is ours to renew.
async function takeSubscription(answer) {
  const {subscription} = pushNow;
  serverStatus = answer.status;
  if (subscription && answer.status === 'allowed' && subscription.endpoint !== record.endpoint) {
    await rememberSubscription(subscription);
  }
}

// A subscription that is missing, dead or made for a former key is renewed without a question.
async function followUp(answer) {
  const {subscription, reason, permission} = pushNow;
  const outdated = subscription && answer.vapid_key && subscription.vapid_key !== answer.vapid_key;
  const renewable = permission === 'granted' && (!reason || reason === 'subscription_missing');
  if (renewable && (answer.resubscribe || outdated)) {
    await readPush(true);
    await reportStatus('resubscribe');
  }
  takeAnswer({...answer, status: serverStatus});
  offerInstallHint();
}

// What every answer may carry.
function takeAnswer(answer) {
  if (answer.status) serverStatus = answer.status;
  if (answer.poll_after) pollAfter = answer.poll_after;
  tellStatus();
  if (answer.popup) considerOffer(answer.popup);
  else somethingHappened();
}

async function reportStatus(cause, offer) {
  const answer = await call('status', {...withPush(pushNow), cause, offer});
  await takeSubscription(answer);
  takeAnswer(answer);
}

function identify(externalId, {getToken, language, properties} = {}) {
  const name = typeof externalId === 'number' ? String(externalId) : externalId;
  if (typeof name !== 'string' || !name) {
    throw invalid('identify');
  }
  // Who says the same name again keeps the token that is good still.
  const copy = properties && toJson(properties);
  const identity = {...(named?.externalId === name && named), externalId: name, getToken, language, properties: copy};
  named = identity;
  return inTurn(async () => {
    const before = endUser;
    if (before && !before.anonymous && before.externalId !== name) await withdrawPopup();
    const open = await isOpen();
    if (!open || toldIdentity !== identity) await openNamed(open ? 'identify' : 'session', identity);
    return statusPicture();
  });
}

// A refused name must not leave the page without a session; a name that never arrived is sent again.
async function openNamed(path, identity) {
  try {
    await openSession(path, identity);
  } catch (error) {
    const refused = !isTemporary(error) || (identity.getToken && !identity.token);
    if (refused && named === identity) named = null;
    wakeLater(error, refused);
    throw error;
  }
}

function logout() {
  named = null;
  return inTurn(async () => {
    await withdrawPopup();
    if (credentials()) await saveRecord({leaving: true});
    try {
      await openSession(credentials() ? 'logout' : 'session');
    } catch (error) {
      wakeLater(error);
      throw error;
    }
    return statusPicture();
  });
}

// Whatever session is opened next, a logout that is still to be told comes before it.
async function leave() {
  if (!credentials()) return null;
  try {
    return await takeSession(await send('logout', {tab}));
  } catch (error) {
    if (isTemporary(error) && error.code !== 'installation_unknown') throw error;
    await forgetInstallation();
    await saveRecord({leaving: false});
    return null;
  }
}
