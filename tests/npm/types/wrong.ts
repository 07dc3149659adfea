// What must not compile. A line that does is an error of its own ("Unused '@ts-expect-error' directive").
import {smartpush} from 'smartpush-web';

// @ts-expect-error no such command
smartpush('subscribe');
// @ts-expect-error init needs its options
smartpush('init');
// @ts-expect-error the brand is missing
smartpush('init', {host: 'https://push.example'});
// @ts-expect-error a misspelt option
smartpush('init', {brand: 'pk_1', host: 'https://push.example', serviceworker: '/sw.js'});
// @ts-expect-error options are not texts
smartpush('init', {brand: 'pk_1', host: 'https://push.example', requireConsent: 'yes'});
// @ts-expect-error consent is yes or no
smartpush('consent', 'given');
// @ts-expect-error consent says which
smartpush('consent');
// @ts-expect-error nobody is identified
smartpush('identify');
// @ts-expect-error an id is a text or a number
smartpush('identify', {id: 'user-1'});
// @ts-expect-error a token comes from a function
smartpush('identify', 'user-1', {getToken: 'token'});
// @ts-expect-error a token is a text
smartpush('identify', 'user-1', {getToken: async () => 7});
// @ts-expect-error functions are no JSON
smartpush('event', 'deposit', {amount: () => 20});
// @ts-expect-error an event has a name
smartpush('event', {amount: 20});
// @ts-expect-error no such operation
smartpush('markers', 'toggle', ['NEWS']);
// @ts-expect-error which markers
smartpush('markers', 'add');
// @ts-expect-error markers are texts
smartpush('markers', 'add', [1]);
// @ts-expect-error opting out says which way
smartpush('optOut');
// @ts-expect-error no such event
smartpush('on', 'clicked', () => {});
// @ts-expect-error a handler is a function
smartpush('on', 'click', '/route');
// @ts-expect-error a handler is needed
smartpush('on', 'click');
// @ts-expect-error popups have an offer, no url
smartpush('on', 'popup', ({url}) => console.log(url));
// @ts-expect-error no such status
smartpush('getStatus').then(({status}) => status === 'granted');
// @ts-expect-error a promise is not its value
export const status: string = smartpush('getStatus').status;
// @ts-expect-error the two kinds of click differ: only a push has an action
smartpush('on', 'click', (click) => console.log(click.action));
