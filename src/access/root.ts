/** The user root, whose making closes access: from then on nothing is allowed that no role allows. */
import type { Access } from './access.ts';
import { createUser, setPassword } from './records/access-records.ts';
import { ROOT, endHold } from './records/open-hold.ts';

/** Makes root, durably. Rejects with `nameTaken` when there is one. */
export async function makeRoot(access: Access, password: string): Promise<void> {
  const hash = await access.logins.passwords.hash(password);
  await access.change((draft) => {
    createUser(draft, ROOT, { password: hash, roles: [], nowMs: access.clock.nowMs() });
  });
}

/** Gives root another password, and makes it if there is none. From then on access is closed, also where it was held open. */
export async function setRootPassword(access: Access, password: string): Promise<void> {
  if (access.table.user(ROOT) === undefined) return makeRoot(access, password);
  const hash = await access.logins.passwords.hash(password);
  await access.change((draft) => {
    setPassword(draft, ROOT, hash);
    endHold(draft);
  });
}
