/**
 * Run by the tests as a process or a thread: takes the lock whose path it is given, says so, and stays. With `as-nobody`
 * behind the path the process first becomes a user that owns nothing.
 */
import { isMainThread, workerData } from 'node:worker_threads';
import { DiskError } from '../../src/disk/disk.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { becomeNobody } from '../support/nobody.ts';

const path = isMainThread ? process.argv[2] : (workerData as string);
if (isMainThread && process.argv[3] === 'as-nobody') becomeNobody();
let said: string;
try {
  await nodeDisk.lock(path ?? '');
  said = 'has the lock';
} catch (error) {
  said = error instanceof DiskError ? error.code : String(error);
}
process.stdout.write(`${said}\n`);

// Something to wait for, so that the process or thread lives until it is ended.
setInterval(() => undefined, 60_000);
