// How every popup looks and behaves: both templates of the permission request, and the hint for iPhones.
// It slides in at the top, blocks nothing, takes no focus.

const COLOURS = {background: '#ffffff', text: '#1b2030', button: '#2457d6', button_text: '#ffffff'};
const COLOUR_FORM = /^(#[0-9a-f]{3,8}|(rgb|hsl)a?\([\d\s.,%/deg]+\)|[a-z]+)$/i;
const ANNOUNCE_AFTER = 150;
const ANNOUNCED_FOR = 10000;

const SIMPLE_STYLE = `
:host {
  all: initial !important;
  display: block !important;
  position: fixed !important;
  z-index: 2147483647 !important;
  inset: 0 0 auto 0 !important;
  pointer-events: none !important;
  contain: layout style !important;
}
:host([hidden]) { display: none !important; }
* { box-sizing: border-box; }
.card {
  pointer-events: auto;
  position: relative;
  width: min(460px, calc(100% - 16px - env(safe-area-inset-left) - env(safe-area-inset-right)));
  max-height: calc(100dvh - 16px);
  overflow: auto;
  margin: calc(12px + env(safe-area-inset-top)) auto 12px;
  padding: 20px;
  border-radius: 16px;
  background: var(--background);
  color: var(--text);
  font: 400 15px/1.5 system-ui, sans-serif;
  text-align: start;
  border: 1px solid color-mix(in srgb, var(--text) 12%, var(--background));
  box-shadow: 0 2px 6px rgb(15 23 42 / .12), 0 18px 48px -8px rgb(15 23 42 / .36);
  animation: arrive .42s cubic-bezier(.2, .9, .25, 1) both;
}
.body { display: flex; gap: 16px; align-items: flex-start; }
.words { flex: 1; min-width: 0; overflow-wrap: anywhere; hyphens: auto; }
h2 { margin: 0; padding-inline-end: 30px; font-size: 17px; line-height: 1.3; text-wrap: balance; }
p { margin: 6px 0 0; white-space: pre-line; opacity: .82; }
img { display: block; flex: none; width: 64px; height: 64px; border-radius: 12px; object-fit: cover; }
.banner .body { display: block; }
.banner img {
  width: calc(100% + 40px);
  height: auto;
  max-height: 180px;
  margin: -20px -20px 16px;
  border-radius: 0;
}
.banner h2 { padding: 0; }
.banner .close { opacity: 1; }
.banner .close::before { background-color: var(--background); }
.choices { display: grid; gap: 6px; max-height: 50dvh; overflow: auto; margin-top: 14px; }
label {
  display: flex;
  gap: 12px;
  padding: 11px 12px;
  border-radius: 10px;
  background: color-mix(in srgb, currentColor 5%, transparent);
  cursor: pointer;
}
label span { min-width: 0; overflow-wrap: anywhere; font-weight: 600; }
small { display: block; font-size: 13px; font-weight: 400; opacity: .78; }
input {
  appearance: none;
  flex: none;
  width: 22px;
  height: 22px;
  margin: 0;
  border: 2px solid color-mix(in srgb, currentColor 60%, transparent);
  border-radius: 6px;
  background: var(--background);
  color: inherit;
  cursor: pointer;
}
input:checked { border-color: var(--button); background: var(--button); }
input:checked::before {
  content: "";
  display: block;
  width: 5px;
  height: 10px;
  margin: 1px auto;
  border: solid var(--button_text);
  border-width: 0 2px 2px 0;
  transform: rotate(45deg);
}
.buttons { display: flex; flex-wrap: wrap-reverse; justify-content: flex-end; gap: 8px; margin-top: 18px; }
button {
  min-height: 44px;
  max-width: 100%;
  margin: 0;
  padding: 10px 18px;
  border: 0;
  border-radius: 10px;
  background: none;
  color: inherit;
  font: inherit;
  font-weight: 600;
  line-height: 1.3;
  overflow-wrap: anywhere;
  cursor: pointer;
}
.primary { background: var(--button); color: var(--button_text); }
.primary:hover { box-shadow: inset 0 0 0 99px rgb(127 127 127 / .16); }
.primary:active { box-shadow: inset 0 0 0 99px rgb(127 127 127 / .3); }
label:hover, .later:hover, .card:not(.banner) .close:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.close {
  position: absolute;
  inset-block-start: 6px;
  inset-inline-end: 6px;
  width: 44px;
  min-height: 44px;
  padding: 0;
  border-radius: 50%;
  opacity: .7;
}
.close:hover, .close:focus-visible { opacity: 1; }
.close::before {
  content: "";
  --line: #0000 44%, currentColor 44% 56%, #0000 56%;
  display: block;
  width: 14px;
  height: 14px;
  padding: 9px;
  margin: auto;
  border-radius: 50%;
  background: linear-gradient(45deg, var(--line)) no-repeat content-box border-box,
    linear-gradient(-45deg, var(--line)) no-repeat content-box border-box;
}
button:focus-visible, input:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
.primary:focus-visible { outline-color: var(--text); }
.told { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@keyframes arrive { from { transform: translateY(calc(-100% - 32px)); opacity: 0; } }
@media (max-width: 479px) {
  .card { padding: 16px; margin-top: calc(8px + env(safe-area-inset-top)); }
  .body { gap: 12px; }
  .card:not(.banner) img { width: 52px; height: 52px; }
  .banner img { width: calc(100% + 32px); margin: -16px -16px 14px; }
  .buttons button { flex: 1 1 auto; }
}
@media (prefers-reduced-motion: reduce) { .card { animation: none; } }
@media (forced-colors: active) {
  .primary { border: 1px solid; }
  input { appearance: auto; }
}
@media print { :host { display: none !important; } }
`;

let simpleSheet;

// A constructed sheet needs no 'unsafe-inline' in the site's CSP; Safari before 16.4 has none and gets a nonce.
function addStyle(root) {
  try {
    if (!simpleSheet) {
      simpleSheet = new CSSStyleSheet();
      simpleSheet.replaceSync(SIMPLE_STYLE);
    }
    root.adoptedStyleSheets = [simpleSheet];
  } catch {
    root.append(element('style', {nonce: options.nonce || scriptNonce}, SIMPLE_STYLE));
  }
}

const scriptNonce = document.currentScript?.nonce || '';

// Children are elements or texts, and texts are never read as markup; what is empty is left out.
function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  node.append(...children.filter(Boolean));
  return node;
}

function colour(name, given) {
  const value = String(given?.[name]);
  return COLOUR_FORM.test(value) && CSS.supports('color', value) ? value : COLOURS[name];
}

function button(attributes, label, act) {
  const node = element('button', {type: 'button', ...attributes}, label);
  node.addEventListener('click', (event) => {
    // A script of the page may not press our buttons in the end user's name.
    if (event.isTrusted) safely(act);
  });
  return node;
}

// A category to tick.
function choice({marker, name, description, selected}) {
  return element(
    'label', {},
    element('input', {type: 'checkbox', value: marker, ...(selected === true && {checked: ''})}),
    element('span', {}, name, description && element('small', {}, description)),
  );
}

// Draws the popup and returns {remove(), hide(on), chosen()}. `image` is a loaded <img> or null.
function drawSimple(content, image, {primary, later, close}) {
  const {title, text, categories} = content;
  const host = element('smartpush-popup');
  const root = host.attachShadow({mode: 'open'});
  addStyle(root);
  const told = element('div', {class: 'told', role: 'status'});
  const card = element(
    'div',
    {
      class: image?.naturalWidth > image?.naturalHeight * 1.6 ? 'card banner' : 'card',
      role: 'dialog',
      'aria-modal': 'false',
      'aria-labelledby': 'title',
      'aria-describedby': 'text',
      lang: content.language || '',
      dir: content.direction === 'rtl' ? 'rtl' : 'ltr',
    },
    element(
      'div', {class: 'body'}, image,
      element(
        'div', {class: 'words'}, element('h2', {id: 'title'}, title), element('p', {id: 'text'}, text),
      ),
    ),
    categories?.length
      && element('div', {class: 'choices', role: 'group', 'aria-labelledby': 'title'}, ...categories.map(choice)),
    primary && element(
      'div', {class: 'buttons'},
      content.later_label && button({class: 'later'}, content.later_label, later),
      button({class: 'primary'}, content.subscribe_label, primary),
    ),
    button({class: 'close', 'aria-label': content.close_label || '×'}, '', close),
  );
  for (const name in COLOURS) {
    card.style.setProperty('--' + name, colour(name, content.colours));
  }
  root.append(card, told);

  // Where the focus came from when it entered the popup: it goes back there.
  let origin = null;
  card.addEventListener('focusin', (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) origin = event.relatedTarget;
  });
  card.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      safely(close);
    }
  });
  // First in the body: the next Tab from the top of the page finds it, as its place on the screen says.
  document.body.prepend(host);
  // A live region speaks only about what changes after it is there.
  setTimeout(() => { told.textContent = [title, text].join('. '); }, ANNOUNCE_AFTER);
  setTimeout(() => { told.textContent = ''; }, ANNOUNCED_FOR);
  return {
    hide: (on) => { host.hidden = on; },
    chosen: () => [...root.querySelectorAll(':checked')].map((box) => box.value),
    remove: () => {
      const focused = root.activeElement;
      host.remove();
      if (focused && origin?.isConnected) origin.focus({preventScroll: true});
    },
  };
}
