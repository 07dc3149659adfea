// What the end user wishes: the opt-out, and the hosted page where it and the categories are changed.

async function callPreferences(path, body) {
  await turn;
  await ensureSession();
  const answer = await call(path, body);
  optedOut = answer.opted_out ?? optedOut;
  tellStatus();
  return answer;
}

async function optOut(wanted) {
  if (typeof wanted !== 'boolean') throw invalid('optOut');
  await callPreferences('preferences', {opted_out: wanted});
  // An open popup may have been taken back with it.
  poll();
  return {optedOut};
}

// The window is opened inside the click, before there is an address: later it would be blocked.
function openPreferences() {
  demandPermission();
  return showPreferences(window.open('', '_blank'));
}

async function showPreferences(page) {
  try {
    const {url} = await callPreferences('preferences/link');
    if (page) page.opener = null;
    // The public address may be another name of the server, which this browser need not reach.
    (page || window).location = options.host + new URL(url).pathname;
  } catch (error) {
    page?.close();
    throw error;
  }
}
