// The service worker's part: import it, or copy the file, into a worker of your own. It has nothing to call.
export {};
