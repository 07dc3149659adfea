// What the page and the service worker both need: errors, encodings, the URL rule and one way to POST.

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const REQUEST_TIMEOUT = 15000;
// Browsers refuse keepalive requests whose bodies together pass 64 KiB.
const KEEPALIVE_LIMIT = 30000;

function failure(code, message, extra) {
  return Object.assign(Error(message || code), {code}, extra);
}

function toBase64Url(buffer) {
  if (!buffer) return '';
  return btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const decoded = (text) => atob(text.replace(/-/g, '+').replace(/_/g, '/'));

const fromBase64Url = (text) => Uint8Array.from(decoded(text), (character) => character.charCodeAt(0));

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
  const {protocol, hostname, href} = url;
  if (url.username || url.password) return null;
  let allowed = /^http/.test(protocol);
  if (url.origin !== location.origin) {
    allowed = protocol === 'http:'
      ? location.protocol === protocol && LOOPBACK.test(location.hostname) && LOOPBACK.test(hostname)
      : protocol === 'https:' && (!hosts || hosts.some((host) => host === hostname
        || (host.startsWith('*.') && hostname.endsWith(host.slice(1)))));
  }
  return allowed ? href : null;
}

// Milliseconds: the header holds seconds or a date, or is not there.
const retryDelay = (header) => Math.max(header * 1000 || Date.parse(header) - Date.now() || 0, 0);

// Resolves with the JSON of a 2xx answer; rejects with {code, message, status, retryAfter in milliseconds}.
// `network` is the code where no answer came at all.
async function post(url, body, brand) {
  const text = JSON.stringify(body);
  const headers = {'Content-Type': 'application/json'};
  if (brand) headers['X-Smartpush-Key'] = brand;
  let response;
  let answer;
  try {
    response = await fetch(url, {
      method: 'POST', headers, body: text, credentials: 'omit', cache: 'no-store', redirect: 'error',
      // Safari before 16 has no such signal: there a request takes as long as it takes.
      keepalive: text.length < KEEPALIVE_LIMIT, signal: AbortSignal.timeout?.(REQUEST_TIMEOUT),
    });
    answer = await response.json();
  } catch {
    if (!response || response.ok) throw failure('network', 'The server did not answer.');
  }
  if (response.ok) return answer;
  const {status} = response;
  const {code = 'http_' + status, message = 'The server answered ' + status, fields} = answer?.error || {};
  throw failure(code, message, {
    status,
    fields,
    retryAfter: retryDelay(response.headers.get('Retry-After')),
  });
}

// Whether sending the same thing again later can help; everything else is dropped.
function isTemporary({status, code}) {
  return !status || code === 'installation_unknown' || status === 429 || status >= 500;
}

// The server wants (better) proof of who the end user is: identity_required, identity_refused.
function isUnproven(error) {
  return /^identity_/.test(error.code);
}
