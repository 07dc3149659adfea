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
  await callPreferences('preferences', {opted_out: wanted !== false});
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
    (page || window).location = safeUrl(url);
  } catch (error) {
    if (page) page.close();
    throw error;
  }
}
