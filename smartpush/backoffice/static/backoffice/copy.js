// Copy buttons: each copies the code beside it and says so.

document.addEventListener('click', async ({target}) => {
  const button = target.closest('[data-copy]');
  if (!button) return;
  const code = button.parentElement.querySelector('code');
  const word = button.querySelector('[data-copy-word]');
  try {
    await navigator.clipboard.writeText(code.textContent);
    word.textContent = 'Copied';
  } catch {
    // An insecure page has no clipboard: the text is selected, for the keys that copy.
    getSelection().selectAllChildren(code);
    word.textContent = 'Press Ctrl+C';
  }
  setTimeout(() => { word.textContent = 'Copy'; }, 3000);
});
