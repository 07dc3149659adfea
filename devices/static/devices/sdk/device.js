// Which browser, system and form factor this is.

// Order matters: most browsers also claim to be Chrome and Safari.
const BROWSER_PATTERNS = [
  [/Edg(?:A|iOS)?\/([\d.]+)/, 'edge'],
  [/(?:OPR|OPT|OPiOS)\/([\d.]+)/, 'opera'],
  [/SamsungBrowser\/([\d.]+)/, 'samsung'],
  [/(?:YaBrowser|Vivaldi|DuckDuckGo)\/([\d.]+)/, 'other'],
  [/(?:Firefox|FxiOS)\/([\d.]+)/, 'firefox'],
  [/(?:Chrome|CriOS|Chromium)\/([\d.]+)/, 'chrome'],
  [/Version\/([\d.]+).*Safari\//, 'safari'],
];
const SYSTEM_PATTERNS = [
  [/Android/, 'android'], [/iPhone|iPad|iPod/, 'ios'], [/Windows/, 'windows'], [/Mac/, 'macos'],
  [/Linux|CrOS|X11/, 'linux'],
];

// The frozen user agents of today still tell all of this, on every page; client hints exist on secure pages only.
function detectBrowser() {
  for (const [pattern, browser] of BROWSER_PATTERNS) {
    const match = pattern.exec(navigator.userAgent);
    // Brave says it is Chrome but has a push service of its own only if its user wants one.
    if (match) return [navigator.brave ? 'other' : browser, match[1].split('.').slice(0, 2).join('.')];
  }
  return ['other', ''];
}

function detectSystem() {
  const {userAgent, maxTouchPoints} = navigator;
  // An iPad says it is a Mac; no Mac has a touch screen.
  if (/Macintosh/.test(userAgent) && maxTouchPoints > 1) return 'ios';
  const match = SYSTEM_PATTERNS.find(([pattern]) => pattern.test(userAgent));
  return match ? match[1] : 'other';
}

// What the server is told about push, and of the browser with it.
const withPush = (push) => ({push, device: describeDevice()});

function describeDevice() {
  const [browser, version] = detectBrowser();
  const os = detectSystem();
  return {
    browser,
    browser_version: version,
    os,
    form_factor: /Mobi/.test(navigator.userAgent) || ['android', 'ios'].includes(os) ? 'mobile' : 'desktop',
    language: navigator.language || '',
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || '',
    user_agent: navigator.userAgent.slice(0, 400),
  };
}
