/** `DELETE /v1/keys`: deletes all keys of a range. Which must be said: nothing stands for all keys but `all=true`. */
import type { DeletedRange, Key } from '../../../api.ts';
import { checkDeletedRange } from '../../../access/checks.ts';
import { StoreError } from '../../../errors.ts';
import { operation } from '../operation.ts';
import { flagParameter, keyParameter } from '../query.ts';
import { refuseConditions } from './preconditions.ts';

export const deleteKeys = operation({
  method: 'DELETE',
  template: '/v1/keys',
  countsAs: 'DeleteRange',
  runsAt: 'writer',
  query: {
    prefix: keyParameter,
    start: keyParameter,
    end: keyParameter,
    all: flagParameter,
    in_parts: flagParameter,
  },
  needs: (login, _, { all = false, in_parts: _inParts, ...bounds }) =>
    checkDeletedRange(login, deletedRange(bounds, all)),
  async run(call, { all = false, in_parts: inParts = false, ...bounds }) {
    refuseConditions(call);
    const range = deletedRange(bounds, all);
    // Its parts may take long.
    if (inParts) call.call.keepAllowed((login) => checkDeletedRange(login, range));
    const deleted = await call.store.deleteRange(range, inParts ? { inParts, signal: call.call.signal } : {});
    const { deletedCount, firstRevision, revision } = deleted;
    call.sendJson(200, { deletedCount, firstRevision, revision });
  },
});

function deletedRange(bounds: { readonly [name: string]: Key }, all: boolean): DeletedRange {
  const names = Object.keys(bounds);
  for (const name of names) {
    if (bounds[name]?.length === 0) throw invalid(`the parameter ${name} is empty; ${HOW_TO_DELETE_ALL}`);
  }
  if (all && names.length > 0) {
    throw invalid(
      `all=true deletes all keys there are, and ${names.join(' and ')} only some; give one of both`,
    );
  }
  if (!all && names.length === 0) {
    throw invalid(`which keys? Give prefix, or start, end or both; ${HOW_TO_DELETE_ALL}`);
  }
  return all ? { all } : bounds;
}

const HOW_TO_DELETE_ALL = 'to delete all keys there are give all=true';

function invalid(message: string): StoreError {
  return new StoreError('invalidArgument', message);
}
