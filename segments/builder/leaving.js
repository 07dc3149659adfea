// A place that is left by a click changes only after the click: what moves under a pressed button is never clicked.

let pressed = false;
for (const [name, down] of [['mousedown', true], ['mouseup', false], ['dragend', false]]) {
  document.addEventListener(name, () => { pressed = down; }, true);
}

/** Do it now, or once the mouse button that is held down has been let go. */
export function afterClick(act) {
  if (!pressed) {
    act();
    return;
  }
  const control = new AbortController();
  const done = () => {
    control.abort();
    setTimeout(act); // the click comes first
  };
  for (const name of ['mouseup', 'dragend']) document.addEventListener(name, done, {signal: control.signal});
}
