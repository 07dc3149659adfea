// Inside the sandbox: draws what the editor sends, with the SDK's own code (simple.js). Its buttons do nothing here.
(() => {
  'use strict';

  const nothing = () => {};
  let view = null;
  let turn = 0;

  function loaded(address) {
    if (!/^https?:/.test(address)) return null;
    return new Promise((resolve) => {
      const image = new Image();
      image.alt = '';
      image.onload = () => resolve(image);
      image.onerror = () => resolve(null);
      image.src = address;
    });
  }

  addEventListener('message', async ({data, source}) => {
    if (source !== parent || !data || !data.content) return;
    turn += 1;
    const mine = turn;
    const image = await loaded(data.content.image || '');
    if (mine !== turn) return;
    const again = Boolean(view);
    if (again) view.remove();
    view = drawSimple(data.content, image, {primary: nothing, later: nothing, close: nothing});
    // It slides in once, not with every letter that is typed.
    if (again) document.querySelector('smartpush-popup').shadowRoot.querySelector('.card').style.animation = 'none';
  });
})();
