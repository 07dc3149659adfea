// iPhone and iPad give push to installed web apps only: how to install this one.

const HINT = {
  title: 'Get notifications here',
  text: 'Put this site on your Home Screen first:',
  steps: ['Tap the Share button of your browser.', 'Choose “Add to Home Screen”.', 'Open the site from there.'],
  close_label: 'Close',
};

// True when it is shown: only where it helps, and not over another popup.
function showInstallHint() {
  if (missingSupport() !== 'ios_not_installed' || current) return false;
  const tell = (what) => emit('popup', {offer: 'install_hint', state: what});
  current = {};
  current.view = drawSimple({...HINT, ...options.iosInstallHint}, null, {
    close: () => {
      dismiss();
      tell('closed');
      return saveRecord({hinted: true});
    },
  });
  tell('shown');
  return true;
}

// By itself once, until the end user closes it.
function offerInstallHint() {
  if (options.iosInstallHint && !record.hinted && !suspended && visible()) showInstallHint();
}
