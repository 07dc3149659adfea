// iPhone and iPad give push to installed web apps only: the popup that says how to install this one is rare.

// True when it is shown: only where it helps, and not over another popup.
async function showInstallHint() {
  if (missingSupport() !== 'ios_not_installed') return false;
  const {installHint} = await loadRare();
  if (current) return false;
  current = {view: installHint(options.iosInstallHint, drawSimple, emit, dismiss, saveRecord)};
  return true;
}

// By itself once, until the end user closes it.
function offerInstallHint() {
  if (options.iosInstallHint && !record.hinted && !suspended && visible()) safely(showInstallHint);
}
