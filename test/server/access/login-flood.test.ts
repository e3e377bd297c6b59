/** A flood of wrong passwords from one connection holds up nothing else. */
import { Code } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, clientsOf, refusalOf } from './access-client.ts';

test('while one connection floods the server with wrong passwords, others log in and are served', async () => {
  const clock = new ManualClock();
  const { url } = await startTestServer({ storeOptions: { clock } });
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const known = clientsOf(url, basic('root', 'top'));
  await known.kv.put({ key: 'a' });
  await known.access.createUser({ name: 'ann', password: 'word', roles: [] });

  // Over one connection, as the session of a transport is.
  let password = 0;
  const flood = clientsOf(url, () => basic('root', `wrong ${password++}`));
  const first = refusalOf(flood.kv.get({ key: 'a' }));
  const refused = Array.from({ length: 100 }, () => refusalOf(flood.kv.get({ key: 'a' })));
  // Those that have no place in the line; all others wait, since no time passes.
  expect((await Promise.race(refused)).code).toBe(Code.ResourceExhausted);

  expect((await known.kv.get({ key: 'a' })).entry?.key).toBe('a');
  const ann = clientsOf(url, basic('ann', 'word'));
  expect((await ann.access.whoAmI({})).user).toBe('ann');

  const flooded = { isOver: false };
  const codes = Promise.all([first, ...refused]).then((all) => {
    flooded.isOver = true;
    return new Set(all.map(({ code }) => code));
  });
  while (!flooded.isOver) await clock.pass(100);
  expect(await codes).toEqual(new Set([Code.ResourceExhausted, Code.Unauthenticated]));
});
