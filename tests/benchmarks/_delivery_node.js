// node web-push as its users call it, a hundred at a time; the same job and the same answer as the Python senders.
const fs = require('fs');
const webpush = require('web-push');

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const options = {
  TTL: 3600,
  vapidDetails: { subject: job.vapid.subject, publicKey: job.vapid.public, privateKey: job.vapid.private },
};

async function send(count) {
  let accepted = 0;
  for (let start = 0; start < count; start += 100) {
    const batch = [];
    for (let number = start; number < Math.min(start + 100, count); number += 1) {
      batch.push(webpush.sendNotification(job.subscriptions[number % job.subscriptions.length], job.payload, options));
    }
    for (const answer of await Promise.all(batch)) accepted += answer.statusCode === 201 ? 1 : 0;
  }
  return accepted;
}

(async () => {
  await send(job.warm_up);
  const before = process.cpuUsage();
  const accepted = await send(job.count);
  const used = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ cpu_seconds: (used.user + used.system) / 1e6, accepted }));
  process.exit(0);
})();
