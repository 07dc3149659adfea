// Which browser, system and form factor this is.

// Order matters: most browsers also claim to be Chrome and Safari. What stands here is followed by / and the version.
const BROWSERS = {
  edge: 'Edg(?:A|iOS)?',
  opera: 'OPR|OPT|OPiOS',
  samsung: 'SamsungBrowser',
  other: 'YaBrowser|Vivaldi|DuckDuckGo',
  firefox: 'Firefox|FxiOS',
  chrome: 'Chrome|CriOS|Chromium',
  safari: 'Version(?=.*Safari/)',
};
const SYSTEMS = {android: 'Android', ios: 'iPhone|iPad|iPod', windows: 'Windows', macos: 'Mac', linux: 'Linux|CrOS|X11'};

// The frozen user agents of today still tell all of this, on every page; client hints exist on secure pages only.
function detectBrowser() {
  for (const browser in BROWSERS) {
    const match = RegExp('(?:' + BROWSERS[browser] + ')/(\\d+(\\.\\d+)?)').exec(navigator.userAgent);
    // Brave says it is Chrome but has a push service of its own only if its user wants one.
    if (match) return [navigator.brave ? 'other' : browser, match[1]];
  }
  return ['other', ''];
}

function detectSystem() {
  const {userAgent, maxTouchPoints} = navigator;
  // An iPad says it is a Mac; no Mac has a touch screen.
  if (/Macintosh/.test(userAgent) && maxTouchPoints > 1) return 'ios';
  return Object.keys(SYSTEMS).find((system) => RegExp(SYSTEMS[system]).test(userAgent)) || 'other';
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
