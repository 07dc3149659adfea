// What the page and the service worker both need: errors, encodings, the URL rule and one way to POST.

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const REQUEST_TIMEOUT = 15000;
// Browsers refuse keepalive requests whose bodies together pass 64 KiB.
const KEEPALIVE_LIMIT = 30000;

function failure(code, message, extra) {
  return Object.assign(new Error(message), {code}, extra);
}

function toBase64Url(buffer) {
  if (!buffer) return '';
  let text = '';
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function fromBase64Url(text) {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

// 128 random bits. crypto.randomUUID is missing on insecure pages, and those open sessions too.
const randomId = () => toBase64Url(crypto.getRandomValues(new Uint8Array(16)));

// A URL that may be opened or loaded: this origin's own, https (on one of `hosts` when they are known),
// and plain http on loopback only where this very page or worker is on http loopback too (development).
function safeUrl(value, hosts) {
  if (!value) return null;
  let url;
  try {
    url = new URL(value, location.href);
  } catch {
    return null;
  }
  if (url.username || url.password) return null;
  if (url.origin === location.origin && /^http/.test(url.protocol)) return url.href;
  if (url.protocol === 'http:') {
    const development = location.protocol === 'http:' && LOOPBACK.test(location.hostname);
    return development && LOOPBACK.test(url.hostname) ? url.href : null;
  }
  if (url.protocol !== 'https:') return null;
  const known = !hosts || hosts.some((host) => host === url.hostname
    || (host.startsWith('*.') && url.hostname.endsWith(host.slice(1))));
  return known ? url.href : null;
}

function retryDelay(header) {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return seconds > 0 ? seconds * 1000 : 0;
}

// Resolves with the JSON of a 2xx answer; rejects with {code, message, status, retryAfter in milliseconds}.
// `network` is the code where no answer came at all.
async function post(url, body, brand) {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), REQUEST_TIMEOUT);
  const text = JSON.stringify(body);
  const headers = {'Content-Type': 'application/json'};
  if (brand) headers['X-Smartpush-Key'] = brand;
  let response;
  let answer;
  try {
    response = await fetch(url, {
      method: 'POST', headers, body: text, credentials: 'omit', cache: 'no-store', redirect: 'error',
      keepalive: text.length < KEEPALIVE_LIMIT, signal: aborter.signal,
    });
    answer = await response.json();
  } catch {
    if (!response || response.ok) throw failure('network', 'No answer from the smartpush server.');
  } finally {
    clearTimeout(timer);
  }
  if (response.ok) return answer;
  const error = answer?.error || {};
  throw failure(error.code || 'http_' + response.status, error.message || 'The server answered ' + response.status + '.', {
    status: response.status,
    fields: error.fields,
    retryAfter: retryDelay(response.headers.get('Retry-After')),
  });
}

// Whether sending the same thing again later can help; everything else is dropped.
function isTemporary(error) {
  return !error.status || (error.status === 401 && !isUnproven(error)) || error.status === 429 || error.status >= 500;
}

// The server wants (better) proof of who the end user is: identity_required, identity_refused.
function isUnproven(error) {
  return /^identity_/.test(error.code);
}
