/** `AuthEnable` closes access, and `AuthDisable` opens it again, with all users and roles left as they are. */
import type { Access } from '../../../access/access.ts';
import type { Login } from '../../../access/login/login.ts';
import { checkAdmin, mayUseAllKeys } from '../../../access/checks.ts';
import * as records from '../../../access/records/access-records.ts';
import { ROOT, endHold, holdOpen } from '../../../access/records/open-hold.ts';
import { StoreError } from '../../../errors.ts';
import { grpcCode } from '../../../grpc-code.ts';
import { StatusError } from '../../calls/call-error.ts';
import { etcdError } from '../errors.ts';
import type { AuthChange } from './change.ts';
import { ROOT_ROLE } from './names.ts';
import { isClosed } from './users.ts';

export function enable(): AuthChange {
  return {
    names: { name: ROOT },
    run(draft) {
      if (isClosed(draft)) return;
      const root = records.userIn(draft.view, ROOT);
      if (root === undefined) throw etcdError('rootUserNotExist');
      if (!root.roles.includes(ROOT_ROLE)) throw etcdError('rootRoleNotExist');
      endHold(draft);
    },
  };
}

/** @param mayOpen whether access may be open at the addresses of the server. Throws where it may not. */
export function disable({ clock }: Access, mayOpen: boolean): AuthChange {
  if (!mayOpen) {
    throw new StatusError(
      grpcCode.FailedPrecondition,
      'access is not opened: other machines reach this server, and it was started without --allow-anonymous',
    );
  }
  return {
    names: { name: ROOT },
    run(draft) {
      if (isClosed(draft)) holdOpen(draft, clock.nowMs());
    },
  };
}

/** It lets everybody do everything: so it is for those who may. */
export function disableNeeds(login: Login): void {
  checkAdmin(login);
  if (mayUseAllKeys(login)) return;
  throw new StoreError('permissionDenied', `the user ${login.userName} may not do everything`);
}
