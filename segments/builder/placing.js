// Where a list stands: under its field or over it, in sight, and never behind the form's bar with Save.

const MOST = 300; // px of height
const LEAST = 96;
const GAP = 4;
const EDGE = 8;

/** The lower edge of what can be seen: of the window, or of what the bar that stays at its foot leaves. */
function foot() {
  const bar = document.getElementById('submit-row');
  const stays = bar && getComputedStyle(bar).position === 'sticky';
  return Math.min(window.innerHeight, stays ? bar.getBoundingClientRect().top : Infinity);
}

/** Put the list, which is shown over the whole page, beside its field. */
export function place(list, field) {
  const box = field.getBoundingClientRect();
  const below = foot() - box.bottom - GAP - EDGE;
  const above = box.top - GAP - EDGE;
  list.style.maxHeight = `${MOST}px`;
  list.style.minWidth = `${box.width}px`;
  const up = below < list.offsetHeight && above > below;
  const height = Math.min(MOST, Math.max(up ? above : below, LEAST));
  const left = Math.max(EDGE, Math.min(box.left, document.documentElement.clientWidth - list.offsetWidth - EDGE));
  Object.assign(list.style, {
    maxHeight: `${height}px`,
    left: `${left}px`,
    top: up ? 'auto' : `${box.bottom + GAP}px`,
    bottom: up ? `${window.innerHeight - box.top + GAP}px` : 'auto',
    visibility: box.bottom < 0 || box.top > window.innerHeight ? 'hidden' : '',
  });
}

/** Show the list over everything else and keep it beside its field, whatever scrolls; what it returns ends that. */
export function showBeside(list, field) {
  list.showPopover?.();
  const follow = () => place(list, field);
  window.addEventListener('scroll', follow, {capture: true, passive: true});
  window.addEventListener('resize', follow);
  return () => {
    window.removeEventListener('scroll', follow, {capture: true});
    window.removeEventListener('resize', follow);
  };
}
