/**
 * Who may do what, for all doors of a store. A door makes a login of what its client shows (`login`), and asks the checks
 * (`checks.ts`) with it before each call. What is kept of it lies in the store's own keys (`records/access-records.ts`): a change is
 * a transaction like any other, and in effect for everybody once it is durable, which is when its promise resolves.
 */
import type { Clock, Random } from '../clock.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { AccessTable } from './access-table.ts';
import { Authenticator, type AuthenticatorOptions } from './login/authenticator.ts';
import { AccessDraft } from './records/access-draft.ts';

export interface AccessOptions extends AuthenticatorOptions {
  readonly store: Pick<KvStore, 'readVisible' | 'transact'>;
}

export class Access {
  readonly table: AccessTable;
  readonly logins: Authenticator;
  readonly clock: Clock;
  readonly random: Random;
  readonly #store: AccessOptions['store'];

  constructor({ store, clock, random, passwordCost }: AccessOptions) {
    this.#store = store;
    this.clock = clock;
    this.random = random;
    this.table = new AccessTable(store);
    this.logins = new Authenticator(this.table, { clock, random, passwordCost });
  }

  /** Runs a change; what it throws is the answer, and then nothing has changed. */
  async change<Result>(run: (draft: AccessDraft) => Result): Promise<Result> {
    let changedKeys: readonly Uint8Array[] = [];
    const result = await this.#store.transact((view) => {
      const draft = new AccessDraft(view);
      const changed = run(draft);
      ({ changedKeys } = draft);
      return changed;
    });
    this.table.refresh(changedKeys);
    return result;
  }
}
