/** What a call of `etcdserverpb.Auth` is to change. */
import type { AccessDraft } from '../../../access/records/access-draft.ts';
import type { ChangedNames } from '../../access/audit.ts';

export interface AuthChange {
  /** For the log. */
  readonly names: ChangedNames;
  /** Within the transaction; what it throws is the answer, and then nothing has changed. */
  readonly run: (draft: AccessDraft) => void;
}
