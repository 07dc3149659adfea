// Subscriptions as a browser with a reachable push service makes them, kept over reloads as a browser keeps them.
(() => {
  const KEPT = 'test-subscription';
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const wake = (kept) => kept && {
    endpoint: kept.endpoint,
    options: {userVisibleOnly: true, applicationServerKey: bytes(kept.key).buffer},
    getKey: (name) => bytes(name === 'auth' ? 'AAECAwQFBgcICQoLDA0ODw' : kept.key).buffer,
    unsubscribe: async () => { localStorage.removeItem(KEPT); return true; },
  };
  if (!window.PushManager) return;
  PushManager.prototype.getSubscription = async () => wake(JSON.parse(localStorage.getItem(KEPT)));
  PushManager.prototype.subscribe = async ({applicationServerKey}) => {
    const kept = {endpoint: 'https://push.test/' + Math.random().toString(36).slice(2), key: text(applicationServerKey)};
    localStorage.setItem(KEPT, JSON.stringify(kept));
    return wake(kept);
  };
})();
