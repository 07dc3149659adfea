// Check your installation: the list is fetched anew while somebody looks, and replaced where it has changed.

const REFRESH = 4000;
const LONGEST = 30 * 60000;

const list = document.getElementById('check');
const began = Date.now();
let shown = '';

async function refresh() {
  if (document.visibilityState === 'visible') {
    try {
      const response = await fetch(list.dataset.refresh, {headers: {Accept: 'text/html'}, redirect: 'error'});
      const text = response.ok ? await response.text() : shown;
      // A screen reader hears only what is new.
      if (text !== shown && shown) list.innerHTML = text;
      shown = text;
    } catch { /* the next one may succeed */ }
  }
  if (Date.now() - began < LONGEST) setTimeout(refresh, REFRESH);
}

setTimeout(refresh, REFRESH);
