"""Prints the SDK as an ES module, from the same files in the same order as Django serves them."""

import sys
from typing import Final

from devices.sdk_files import LOADER, SDK_FILES, joined

# On a server that renders pages there is nothing to talk to; a call there must neither throw nor end the process.
_MODULE: Final = """
function start() {
const scriptUrl = '';
const loadRare = () => import('./rare.js');
%s
}

function withoutPage() {
  const refused = Promise.reject(Object.assign(new Error('smartpush works in a page only.'), {code: 'no_page'}));
  refused.catch(() => {});
  return refused;
}

const here = typeof document !== 'undefined';
if (here) start();

// A script tag that was there first is the one that counts.
export const smartpush = here ? window.smartpush : withoutPage;
export default smartpush;
"""

if __name__ == "__main__":
    sys.stdout.write(_MODULE % joined(tuple(name for name in SDK_FILES if name != LOADER)))
