// Django's picker of permissions names its hints on elements that have no role; as pictures they may carry a name.
addEventListener('load', () => {
  setTimeout(() => {
    for (const hint of document.querySelectorAll('.help-tooltip[aria-label]')) hint.setAttribute('role', 'img');
  });
});
