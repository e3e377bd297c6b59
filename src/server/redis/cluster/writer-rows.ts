/**
 * Where a command runs that comes to a follower. A connection begins at the node that it came to: what prepares it, and what is about
 * the node itself, is answered here. Its first command of another kind takes it to the writer, where it stays; unless it has said
 * READONLY, which makes its reads those of this node.
 */
import { mayWrite, type TableRow } from '../commands/table.ts';

export type CommandPlace = 'here' | 'writer' | 'refused';

/** Of the connection commands: what the writer is told of as a connection is passed on, and what changes nothing. */
const PREPARING = new Set([
  'auth',
  'client|forwarded',
  'client|getname',
  'client|help',
  'client|no-evict',
  'client|no-touch',
  'client|reply',
  'client|setinfo',
  'client|setname',
  'echo',
  'hello',
  'ping',
  'quit',
  'readonly',
  'readwrite',
  'reset',
  'select',
]);

/** Users are changed at the writer. */
const CHANGES_USERS = new Set(['acl|setuser', 'acl|deluser']);

export function placeOf(row: TableRow, isReadOnly: boolean): CommandPlace {
  if (CHANGES_USERS.has(row.name)) return isReadOnly ? 'refused' : 'writer';
  if ('session' in row && (row.group === 'server' || PREPARING.has(row.name))) return 'here';
  // Messages are published by way of the writer, so they are heard there, too.
  if (!isReadOnly || row.group === 'pubsub') return 'writer';
  return mayWrite(row) ? 'refused' : 'here';
}
