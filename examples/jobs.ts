/**
 * A queue of jobs with several workers, of which one leaves its job undone. Run it beside a server:
 * `npm run example examples/jobs.ts`.
 */
import { createClient } from 'kelpdb/client';

interface Mail {
  readonly to: string;
}

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });
const mails = client.recipes.queue<Mail>('mails', { attemptsMax: 3 });

for (const to of ['ada', 'grace', 'edsger', 'bounces']) await mails.enqueue({ to });

// One that takes the first job and goes: its job is taken again, by another.
for await (const job of mails.take()) {
  console.log(`the first one leaves the mail to ${job.value.to}`);
  break;
}

const done = new AbortController();
const sent: string[] = [];

async function work(): Promise<void> {
  for await (const job of mails.take({ signal: done.signal })) {
    if (job.value.to === 'bounces') {
      await job.nack();
    } else {
      // What is sent twice all the same, since a worker died in between, its token tells apart.
      sent.push(`${job.value.to}, attempt ${job.attempt}`);
      await job.ack();
    }
    if ((await mails.count()) === 0) done.abort();
  }
}

await Promise.all([work(), work()]);
console.log('sent to:', sent.sort().join('; '));
for await (const { value } of mails.deadLetters()) console.log('given up:', value.to);
