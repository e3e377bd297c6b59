import { expect, test } from 'vitest';
import { makeRoot, setRootPassword } from '../../src/access/root.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { type Opened, opened } from './opened.ts';

const isRight = ({ access }: Opened, password: string): Promise<boolean> =>
  access.logins.passwords.verify(password, access.table.user('root')?.password);

test.each([
  ['its password, where the flush had made it durable', 'whole', true],
  ['nothing of it, where it had not', 'none', false],
] as const)('a root whose making was cut off is there with %s', async (_, effect, isMade) => {
  const disk = new SimulatedDisk({ seed: 1 });
  const first = await opened(disk);
  disk.injectFault({ call: 'sync', effect });
  await expect(makeRoot(first.access, 'secret')).rejects.toMatchObject({ code: 'storageFailed' });
  expect(first.access.table.isClosed).toBe(false);
  await first.store.close();
  const next = await opened(disk.losePower());
  expect(next.access.table.isClosed).toBe(isMade);
  if (!isMade) await makeRoot(next.access, 'secret');
  expect(await isRight(next, 'secret')).toBe(true);
});

test('root is made once, and its password can be set again', async () => {
  const first = await opened();
  await setRootPassword(first.access, 'one');
  expect(await isRight(first, 'one')).toBe(true);
  await expect(makeRoot(first.access, 'two')).rejects.toMatchObject({ code: 'nameTaken' });
  await setRootPassword(first.access, 'three');
  const next = await first.reopen();
  expect(await isRight(next, 'three')).toBe(true);
  expect(await isRight(next, 'one')).toBe(false);
});
