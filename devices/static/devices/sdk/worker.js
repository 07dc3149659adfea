// The service worker's part. It may share its worker with others: only messages with our mark are ours.

const MARK = 'smartpush';
const SHORT_ACTIONS = 3;
// Firefox lets a worker open windows for one second after the click.
const ANSWER_PATIENCE = 300;
const SYNC_TAG = 'smartpush-reports';

const answered = new Set();

// The payload under our mark; {} where it is ours but unreadable; null where it is not ours.
function readPayload(data) {
  if (!data) return null;
  let text = '';
  try {
    text = data.text();
    const message = JSON.parse(text);
    if (!message || typeof message !== 'object' || !Object.hasOwn(message, MARK)) return null;
    const ours = message[MARK];
    return ours && typeof ours === 'object' ? ours : {};
  } catch {
    return /^\s*\{\s*"smartpush"/.test(text) ? {} : null;
  }
}

const asText = (value) => (typeof value === 'string' ? value : '');

// The installations whose subscription lives on this registration.
async function installationsHere() {
  const records = await storeAll('installations');
  return records.filter((record) => record.scope === self.registration.scope && record.id);
}

function notificationOptions(payload) {
  const actions = Array.isArray(payload.actions) ? payload.actions.slice(0, Notification.maxActions || SHORT_ACTIONS) : [];
  const urls = {};
  for (const {action, url} of actions) urls[action] = asText(url);
  const options = {
    body: asText(payload.body),
    tag: asText(payload.tag),
    renotify: false,
    lang: asText(payload.lang),
    dir: ['ltr', 'rtl'].includes(payload.dir) ? payload.dir : 'auto',
    requireInteraction: payload.require_interaction === true,
    actions: actions.map(({action, title}) => ({action: asText(action), title: asText(title)})),
    data: {[MARK]: {id: asText(payload.id), url: asText(payload.url), urls, report: payload.report || null}},
  };
  for (const name of ['icon', 'image', 'badge']) {
    const source = safeUrl(asText(payload[name]));
    if (source) options[name] = source;
  }
  if (payload.silent === true) options.silent = true;
  return options;
}

// Something is always shown: Safari takes the permission away after three pushes that showed nothing.
async function show(payload) {
  const title = asText(payload.title) || location.hostname;
  let options = {data: {[MARK]: {}}};
  try {
    options = notificationOptions(payload);
    await self.registration.showNotification(title, options);
  } catch {
    try {
      await self.registration.showNotification(title, {body: asText(payload.body), data: options.data});
    } catch (error) {
      await noteRefusal();
      throw error;
    }
  }
  await countOnIcon(payload.app_badge);
  await tellPages('push', payload);
  await report(payload.report, 'displayed', '');
}

// The number on the icon of an installed app; 0 takes it away.
async function countOnIcon(number) {
  if (!Number.isSafeInteger(number) || number < 0 || !navigator.setAppBadge) return;
  await navigator.setAppBadge(number).catch(() => {});
}

async function noteRefusal() {
  for (const record of await installationsHere()) {
    await storePatch('installations', record.key, {show_refused: Date.now()});
  }
}

async function pages() {
  return self.clients.matchAll({type: 'window', includeUncontrolled: true});
}

async function tellPages(type, {id, title, body, url}) {
  for (const page of await pages()) {
    page.postMessage({[MARK]: {type, detail: {id: asText(id), title: asText(title), body: asText(body), url: asText(url)}}});
  }
}

// Written down before it is sent; what cannot be sent waits for a sync, the next push or the next page.
async function report(target, kind, action) {
  const url = target && safeUrl(asText(target.url));
  if (!url || !asText(target.token)) return;
  const known = await installationsHere();
  // A report goes to the server that this installation belongs to and to no other.
  if (known.length && !known.some((record) => record.host === new URL(url).origin)) return;
  await queueAdd({url, report: {token: target.token, kind, action, at: new Date().toISOString()}});
  await flushReports();
}

async function flushReports() {
  try {
    await sendReports();
  } catch {
    if (self.registration.sync) await self.registration.sync.register(SYNC_TAG).catch(() => {});
  }
}

// Where a click leads: only to this site, or to https on the hosts that the brand allows.
async function clickTarget(data, action) {
  const [record] = await installationsHere();
  const wanted = data.urls?.[action] || data.url;
  return safeUrl(wanted, record?.hosts) || new URL('/', location.href).href;
}

async function openTarget(detail) {
  const windows = await pages();
  const plain = (url) => url.split('#')[0];
  const there = windows.find((page) => page.url === detail.url)
    || windows.find((page) => plain(page.url) === plain(detail.url) && !detail.url.includes('#'));
  if (there) {
    await there.focus();
    there.postMessage({[MARK]: {type: 'click', detail}});
    return;
  }
  // A single-page application may go there itself; windows come with the last focused first.
  const [last] = windows;
  if (last && new URL(detail.url).origin === location.origin && await routedBy(last, detail)) {
    await last.focus();
    return;
  }
  await self.clients.openWindow(detail.url);
}

function routedBy(page, detail) {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ({data}) => resolve(data === true);
    setTimeout(resolve, ANSWER_PATIENCE, false);
    page.postMessage({[MARK]: {type: 'click', detail}}, [channel.port2]);
  });
}

async function click({notification, action}, data) {
  answered.add(data.id);
  notification.close();
  // A button without an address only closes.
  if (action && data.urls?.[action] === '') {
    await report(data.report, 'closed', action);
    return;
  }
  const url = await clickTarget(data, action);
  // The window first: the right to open one ends soon after the click, a report can wait.
  await openTarget({url, action: action || '', id: data.id || '', title: notification.title}).catch(() => {});
  await report(data.report, 'clicked', action || '');
}

async function renewSubscription({oldSubscription, newSubscription}) {
  for (const record of await installationsHere()) {
    // Another service's subscription on this worker is theirs to renew.
    if (!record.endpoint || (oldSubscription && oldSubscription.endpoint !== record.endpoint)) continue;
    const manager = self.registration.pushManager;
    const subscription = newSubscription || await manager.getSubscription() || await manager.subscribe({
      userVisibleOnly: true, applicationServerKey: fromBase64Url(record.vapid_key),
    });
    const used = subscription.options && toBase64Url(subscription.options.applicationServerKey);
    const key = used || record.endpoint_key || record.vapid_key;
    const push = {
      status: 'allowed', reason: '', permission: 'granted',
      subscription: {
        endpoint: subscription.endpoint,
        p256dh: toBase64Url(subscription.getKey('p256dh')),
        auth: toBase64Url(subscription.getKey('auth')),
        vapid_key: key,
      },
    };
    await storePatch('installations', record.key, {endpoint: subscription.endpoint, endpoint_key: key});
    const installation = {id: record.id, secret: record.secret};
    // When this fails, the next session of any page reports the new subscription.
    await post(record.host + '/api/v1/sdk/worker/subscription', {installation, push}, record.brand).catch(() => {});
  }
}

const ourData = (notification) => notification.data && typeof notification.data === 'object' && notification.data[MARK];

function listen() {
  self.addEventListener('push', (event) => {
    const payload = readPayload(event.data);
    // A declarative message may come without its data: then the browser shows it, and we report that.
    const proposed = !payload && event.notification && ourData(event.notification);
    if (proposed) event.waitUntil(report(proposed.report, 'displayed', ''));
    if (!payload) return;
    // Ours is shown once, whoever else listens in this worker.
    event.stopImmediatePropagation();
    event.waitUntil(show(payload).finally(flushReports));
  });
  self.addEventListener('notificationclick', (event) => {
    const data = ourData(event.notification);
    if (!data) return;
    event.stopImmediatePropagation();
    event.waitUntil(click(event, data));
  });
  self.addEventListener('notificationclose', (event) => {
    const data = ourData(event.notification);
    if (!data) return;
    event.stopImmediatePropagation();
    // Some desktops close a notification after its click: that is no second answer.
    if (!answered.has(data.id)) event.waitUntil(report(data.report, 'closed', ''));
  });
  // A page asks once whether our part is in the file that it registered.
  self.addEventListener('message', ({data, ports}) => {
    if (data?.[MARK]?.type === 'ping') ports[0]?.postMessage(true);
  });
  self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renewSubscription(event)));
  // Nobody waits for it: until a worker is active, the pages that it controls get no answer to any request.
  self.addEventListener('activate', () => { flushReports(); });
  self.addEventListener('sync', (event) => {
    if (event.tag === SYNC_TAG) event.waitUntil(sendReports());
  });
}

// A worker that imports this file twice still shows each push once.
if (!self.smartpushWorker) {
  self.smartpushWorker = true;
  listen();
}
