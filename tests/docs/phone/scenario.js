// One end user's day with the guide's client; says at the end what it saw.
import {phone} from './phone.js';
import {Smartpush} from './smartpush.ts';

const client = new Smartpush({
  host: process.env.HOST, appKey: process.env.APP_KEY, appVersion: '2.1.0', model: 'iPhone15,2', language: 'en-GB',
  timeZone: 'Europe/Athens', scheme: 'harbour',
});
const seen = {shown: []};
const answered = new Promise((resolve) => {
  client.attach({
    show(popup) {
      seen.shown.push(popup.content.primary.kind);
      client.popupPrimary(popup, []).then(resolve);
    },
    hide() {},
    open() {},
  });
});

await client.event('session');
await answered;
await client.identify('ann', {properties: {first_name: 'Ann'}});
await client.event('deposit', {amount: 20});
seen.markers = await client.markers('add', ['NEWS']);
seen.preferences = (await client.preferences()).status;
// The loop sends what waits: the queue is empty when the server has it all.
for (;;) {
  if (JSON.parse(phone.kept['smartpush.state']).queue.length === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
// The server forgets the installation: the client opens a new one by itself, under the same name.
seen.first = phone.secret.username;
client.installation = {id: 'nobody', secret: 'nothing'};
seen.again = await client.markers('add', ['SPORT']);
seen.second = phone.secret.username;
await client.logout();
console.log(JSON.stringify(seen));
process.exit(0);
