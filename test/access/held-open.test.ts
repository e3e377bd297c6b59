/** Access that is held open although there is a user root: what makes it so, what ends it, and what a crash leaves. */
import { describe, expect, test } from 'vitest';
import { AccessDraft } from '../../src/access/records/access-draft.ts';
import { HOLD_KEY } from '../../src/access/records/access-keys.ts';
import * as records from '../../src/access/records/access-records.ts';
import { ROOT, endHold, holdOpen } from '../../src/access/records/open-hold.ts';
import { makeRoot, setRootPassword } from '../../src/access/root.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { type Opened, opened } from './opened.ts';

async function makeHeldRoot({ access }: Opened): Promise<void> {
  const password = await access.logins.passwords.hash('one');
  await access.change((draft) => {
    records.createUser(draft, ROOT, { password, roles: [], nowMs: 1 });
    holdOpen(draft, 1);
  });
}

const state = ({ access: { table } }: Opened): object => {
  const { isClosed, isHeldOpen } = table;
  return { isClosed, isHeldOpen, hasRoot: table.user(ROOT) !== undefined };
};

const HELD = { isClosed: false, isHeldOpen: true, hasRoot: true };
const CLOSED = { isClosed: true, isHeldOpen: false, hasRoot: true };
const NEW = { isClosed: false, isHeldOpen: false, hasRoot: false };

test('it is kept, and everybody may do everything', async () => {
  const first = await opened();
  await makeHeldRoot(first);
  expect(state(first)).toEqual(HELD);
  const next = await first.reopen();
  expect(state(next)).toEqual(HELD);
  expect(next.access.logins.anonymous.rights.isAdmin).toBe(true);
});

test('its end closes access, and is kept', async () => {
  const first = await opened();
  await makeHeldRoot(first);
  await first.access.change(endHold);
  expect(state(first)).toEqual(CLOSED);
  expect(() => first.access.logins.anonymous.rights).toThrow('asks for a user');
  expect(state(await first.reopen())).toEqual(CLOSED);
});

test('another password of root from the files closes access', async () => {
  const first = await opened();
  await makeHeldRoot(first);
  await setRootPassword(first.access, 'two');
  expect(state(first)).toEqual(CLOSED);
  const kept = first.access.table.user(ROOT)?.password;
  expect(await first.access.logins.passwords.verify('two', kept)).toBe(true);
});

test('root can be deleted, and takes it along: the next root closes access', async () => {
  const first = await opened();
  await makeHeldRoot(first);
  await first.access.change((draft) => records.deleteUser(draft, ROOT));
  expect(state(first)).toEqual(NEW);
  await makeRoot(first.access, 'two');
  expect(state(first)).toEqual(CLOSED);
  await expect(first.access.change((draft) => records.deleteUser(draft, ROOT))).rejects.toThrow(
    'not deleted',
  );
});

test('it takes a root', async () => {
  const { access } = await opened();
  await expect(access.change((draft) => holdOpen(draft, 1))).rejects.toThrow();
});

test.each([
  ['all of it', 'whole', HELD],
  ['nothing of it', 'none', NEW],
] as const)('a crash while root is made and held open leaves %s', async (_, effect, left) => {
  const disk = new SimulatedDisk({ seed: 1 });
  const first = await opened(disk);
  disk.injectFault({ call: 'sync', effect });
  await expect(makeHeldRoot(first)).rejects.toMatchObject({ code: 'storageFailed' });
  expect(state(first)).toEqual(NEW);
  await first.store.close();
  expect(state(await opened(disk.losePower()))).toEqual(left);
});

test.each([
  ['closed', 'whole', CLOSED],
  ['open', 'none', HELD],
] as const)('a crash while access is closed leaves it %s', async (_, effect, left) => {
  const disk = new SimulatedDisk({ seed: 1 });
  const first = await opened(disk);
  await makeHeldRoot(first);
  disk.injectFault({ call: 'sync', effect });
  await expect(first.access.change(endHold)).rejects.toMatchObject({ code: 'storageFailed' });
  await first.store.close();
  expect(state(await opened(disk.losePower()))).toEqual(left);
});

describe('the record', () => {
  test('is in no count of records, and goes with all of them', async () => {
    const first = await opened();
    await makeHeldRoot(first);
    const counts = { userCount: 1, roleCount: 0, tokenCount: 0, unknownCount: 0 };
    expect(first.store.readVisible(records.countAccess)).toEqual(counts);
    await first.store.transact(records.deleteAllAccess);
    expect(state(await first.reopen())).toEqual(NEW);
  });

  test('is damage where it is none', async () => {
    const { store } = await opened();
    const wrong = [
      [HOLD_KEY, Uint8Array.of(0x08)],
      [Uint8Array.of(...HOLD_KEY, 0x61), Uint8Array.of()],
    ] as const;
    expect(records.faultOfAccess(HOLD_KEY, Uint8Array.of())).toBeUndefined();
    for (const [key, value] of wrong) expect(records.faultOfAccess(key, value)).toBeDefined();
    await store.transact((view) => new AccessDraft(view).put(...wrong[0]));
    expect(() => store.readVisible(records.checkAllAccess)).toThrow('holds access open');
  });
});
