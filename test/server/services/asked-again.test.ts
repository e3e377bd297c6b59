/** What goes on is asked again by what its request said, whatever lies by then where the bytes of that came. */
import { expect, test } from 'vitest';
import { emptyDeleteRangeRequest, emptyScanRequest } from '../../../gen/kelp/v1/kv_codec.ts';
import { emptyKeyRange } from '../../../gen/kelp/v1/types_codec.ts';
import { addGrant, createRole, createUser } from '../../../src/access/records/access-records.ts';
import { ROOT } from '../../../src/access/records/open-hold.ts';
import type { Login } from '../../../src/access/login/login.ts';
import { allRights } from '../../../src/access/rights/rights.ts';
import { StoreError } from '../../../src/errors.ts';
import { fixed, serverDefaults } from '../../../src/limits.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { kvMethods } from '../../../src/server/services/kv/kv.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { opened } from '../../access/opened.ts';

const table = new CallTable(serverDefaults);

function run(name: 'deleteRange' | 'scan', store: KvStore, login: Login, request: object): Promise<unknown> {
  const call: Call = table.open({ cut: () => undefined }, false);
  call.login = login;
  const method = kvMethods[name];
  if (method.kind !== 'unary') throw new Error('it is no call with one reply');
  return method.run(store, request, call) as Promise<unknown>;
}

async function putKeys(store: KvStore, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => store.put(`a/${index}`, 'x')));
}

test('a delete in parts goes on when the bytes of its request are those of another', async () => {
  const { access, store } = await opened();
  const password = await access.logins.passwords.hash('word');
  const [start, end] = ['a/', 'a0'].map((bound) => Buffer.from(bound)) as [Buffer, Buffer];
  await access.change((draft) => {
    createRole(draft, 'of-a');
    addGrant(draft, 'of-a', { start, end, mayRead: false, mayWrite: true, isAdmin: false });
    createUser(draft, ROOT, { password, roles: [], nowMs: 1 });
    createUser(draft, 'ann', { password, roles: ['of-a'], nowMs: 1 });
  });
  const keyCount = fixed.deletePartKeysMax + 1;
  await putKeys(store, keyCount);
  const login = await access.logins.login({ kind: 'password', userName: 'ann', password: 'word' });
  const prefixBytes = Buffer.from('a/');
  const range = { ...emptyKeyRange(), prefixBytes };
  const deletion = run('deleteRange', store, login, { ...emptyDeleteRangeRequest(), range, inParts: true });
  prefixBytes.fill('z');
  table.lasting.askAgain();
  expect(await deletion).toMatchObject({ deletedCount: keyCount });
});

test('a count of an older state ends when it is not allowed any more', async () => {
  const { store } = await opened();
  await putKeys(store, fixed.pageVisitsMax + 1);
  let isOver = false;
  const login: Login = {
    userName: 'ann',
    expireTimeMs: 0,
    get rights() {
      if (isOver) throw new StoreError('unauthenticated', 'it is over');
      return allRights;
    },
  };
  const revision = store.visibleRevision;
  await store.put('a/0', 'y');
  const count = run('scan', store, login, { ...emptyScanRequest(), countOnly: true, revision });
  isOver = true;
  table.lasting.askAgain();
  await expect(count).rejects.toThrow('it is over');
});
