// What few pages need lies in a file of its own beside this script. The npm package has a loader of its own instead.

const scriptUrl = document.currentScript?.src;

const loadRare = () => import(new URL('rare.js', scriptUrl || options.host + '/sdk/v1/'));
