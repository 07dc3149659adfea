// IndexedDB shared by every tab and the service worker: who this installation is, and what is still to be sent.
// Where the browser gives none (some private modes), the same calls work on memory for as long as the page lives.

const STORE_KEYS = {installations: 'key', queue: 'id'};
const QUEUE_LIMIT = 500;
const QUEUE_LIFETIME = 3 * 24 * 3600 * 1000;

const memory = {installations: new Map(), queue: new Map()};
let opening;
// Only a page that may act makes the database: not before consent, not after its withdrawal, and never the worker.
let permitted = false;
// What a page does when the database is deleted, here or in another tab.
let whenForgotten = () => {};

function openStore() {
  opening = opening || new Promise((resolve, reject) => {
    // WebKit sometimes never answers the first open after a cold start.
    setTimeout(reject, 3000);
    const request = indexedDB.open('smartpush', 1);
    request.onupgradeneeded = () => {
      if (!permitted) {
        opening = null;
        resolve(null);
        request.transaction.abort();
        return;
      }
      for (const name in STORE_KEYS) request.result.createObjectStore(name, {keyPath: STORE_KEYS[name]});
    };
    request.onerror = reject;
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = () => { opening = null; };
      database.onversionchange = ({newVersion}) => {
        database.close();
        opening = null;
        if (!newVersion) whenForgotten();
      };
      resolve(database);
    };
  }).catch(() => null);
  return opening;
}

async function transact(name, mode, work, fallback) {
  const database = await openStore();
  if (database) {
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(name, mode);
        const request = work(transaction.objectStore(name));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } catch {
      opening = Promise.resolve(null);
    }
  }
  return fallback(memory[name]);
}

const storeGet = (name, key) => transact(name, 'readonly', (store) => store.get(key), (map) => map.get(key));

const storeAll = (name) => transact(name, 'readonly', (store) => store.getAll(), (map) => [...map.values()]);

const storeDelete = (name, key) => transact(
  name, 'readwrite', (store) => store.delete(key), (map) => map.delete(key),
);

// Read and write in one transaction: a worker and two tabs may change the same record at once.
const storePatch = (name, key, changes) => transact(
  name, 'readwrite',
  (store) => {
    const request = store.get(key);
    request.onsuccess = () => store.put({...request.result, ...changes, [STORE_KEYS[name]]: key});
    return request;
  },
  (map) => map.set(key, {...map.get(key), ...changes, [STORE_KEYS[name]]: key}),
);

// Everything that still waits, oldest first; what is too old or too much is forgotten here.
async function queueRead() {
  const items = (await storeAll('queue')).sort((one, other) => one.at - other.at);
  const kept = items.slice(-QUEUE_LIMIT).filter((item) => item.at > Date.now() - QUEUE_LIFETIME);
  for (const item of items) if (!kept.includes(item)) await storeDelete('queue', item.id);
  return kept;
}

// Each stamp is later than the one before: what is called within one millisecond keeps its order too.
let stamp = 0;
const queueAdd = (item) => {
  stamp = Math.max(Date.now(), stamp + 0.001);
  return storePatch('queue', item.id || randomId(), {at: stamp, ...item});
};

// Delivery reports (displayed, clicked, closed) prove themselves by their token: page and worker may both send them,
// one after the other where the browser has Web Locks. One that is sent twice counts once.
const sendReports = () => navigator.locks?.request('smartpush-reports', postReports) ?? postReports();

async function postReports() {
  const groups = new Map();
  for (const item of await queueRead()) {
    if (item.report) groups.set(item.url, [...(groups.get(item.url) || []), item]);
  }
  for (const [url, items] of groups) {
    try {
      await post(url, {reports: items.map((item) => item.report)});
    } catch (error) {
      if (isTemporary(error)) throw error;
    }
    for (const item of items) await storeDelete('queue', item.id);
  }
}
