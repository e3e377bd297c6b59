/** The logins of a server whose access is open: everybody may do everything. */
import { Access } from '../../src/access/access.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import type { Call } from '../../src/server/calls/call.ts';
import { Logins } from '../../src/server/access/logins.ts';
import type { ReadView } from '../../src/store/views/view.ts';

const noRecords = { scan: () => undefined, readMeta: () => undefined } as unknown as ReadView;

const access = new Access({
  store: {
    readVisible: (run) => run(noRecords),
    transact: () => Promise.reject(new Error('nothing is changed')),
  },
  clock: systemClock,
  random: systemRandom,
});

export const openLogins = new Logins(
  () => access,
  () => undefined,
  { loginAccepted: () => undefined, loginRefused: () => undefined },
);

/** A call of anybody, as its door would have it. */
export function allowed(call: Call): Call {
  call.login = access.logins.anonymous;
  return call;
}
