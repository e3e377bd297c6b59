/** The call that is running: one object for all calls, one after the other. */
import { type KeyText, toKeyText } from '../../../store/views/keys.ts';
import type { ScanCursors } from '../cursors/cursor-ring.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../protocol/reply-writer.ts';
import type { CommandCall, EventClass, Session } from './command.ts';

/** Something that happened to a key, to be told once it is visible. */
export interface KeyspaceEvent {
  readonly eventClass: EventClass;
  readonly event: string;
  /** As the engine has it, in bytes of its own. */
  readonly key: Uint8Array;
}

export class RunningCall implements CommandCall {
  args: PlacedArguments;
  reply: ReplyWriter;
  session: Session;
  readonly cursors: ScanCursors;
  /** Whether events are wanted by anything; else none are kept. */
  keepsEvents = false;
  /** Those of the calls since they were taken, in their order. */
  events: KeyspaceEvent[] = [];
  /** Since they were set to 0. */
  visitsSpent = 0;
  bytesSpent = 0;
  /** The only key that a command which waits looks at. */
  changedKey: KeyText | undefined;

  constructor(args: PlacedArguments, reply: ReplyWriter, session: Session, cursors: ScanCursors) {
    this.args = args;
    this.reply = reply;
    this.session = session;
    this.cursors = cursors;
  }

  notify(eventClass: EventClass, event: string, key: Uint8Array): void {
    if (this.keepsEvents) this.events.push({ eventClass, event, key: Uint8Array.prototype.slice.call(key) });
  }

  spend(visits: number, bytes: number): void {
    this.visitsSpent += visits;
    this.bytesSpent += bytes;
  }

  looksAt(key: Uint8Array): boolean {
    return this.changedKey === undefined || this.changedKey === toKeyText(key);
  }
}
