/** Verifies the database of `btree`: what the engine's own reader of it finds, in the form of all engines. */
import { faultOfAccess } from '../../access/records/access-records.ts';
import { systemClock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import { DATABASE_NAME, LOG_NAME } from '../../engine/btree/database/schema.ts';
import { verifyBtree } from '../../engine/btree/verify-btree.ts';
import type { OnProgress } from '../../progress.ts';
import type { BaseFiles } from '../base-files.ts';

/** Changes nothing. @throws DiskError */
export async function verifyDatabase(disk: Disk, folder: string, onProgress: OnProgress): Promise<BaseFiles> {
  const file = `${folder}/${DATABASE_NAME}`;
  const notesPlace = { file, offset: 0 };
  const names = await disk.list(folder);
  const isThere = [DATABASE_NAME, LOG_NAME].some((name) => names.includes(name));
  if (!isThere) return { revision: 0, notes: undefined, notesPlace, files: [], damages: [], leftOver: [] };
  let isOfAccess = false;
  const faultOfRow = (key: Uint8Array, value: Uint8Array): string | undefined => {
    const what = faultOfAccess(key, value);
    isOfAccess ||= what !== undefined;
    return what;
  };
  const options = { disk, clock: systemClock, onProgress, faultOf: faultOfRow };
  const { state, rowCount, bytes, fault } = await verifyBtree(file, options);
  return {
    revision: state?.revision ?? 0,
    notes: state?.notes,
    notesPlace,
    files: [{ file, bytes, isWhole: fault === undefined, recordCount: rowCount }],
    // A start looks at no page that it does not need, and at no rows but those of access.
    damages:
      fault === undefined
        ? []
        : [{ ...notesPlace, what: faultOf(fault, file), stopsStart: state === undefined || isOfAccess }],
    leftOver: [],
  };
}

/** Without what the line of a damage says by itself, and what a start has to say of it. */
function faultOf({ message }: Error, file: string): string {
  return message.replace(`${file} is damaged: `, '').replace(/; [^;]*restore a backup[^;]*$/, '');
}
