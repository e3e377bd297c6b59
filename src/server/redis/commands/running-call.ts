/** The call that is running: one object for all calls, one after the other. */
import { type KeyText, toKeyText } from '../../../store/views/keys.ts';
import type { ScanCursors } from '../cursors/cursor-ring.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import type { ReplyWriter } from '../protocol/reply-writer.ts';
import type { CommandCall, EventClass, Reply, Session } from './command.ts';

/** Something that happened to a key, to be told once it is visible. */
export interface KeyspaceEvent {
  readonly eventClass: EventClass;
  readonly event: string;
  /** As the engine has it, in bytes of its own. */
  readonly key: Uint8Array;
}

/** A reply of which what a failed call has written can be taken back. */
export interface RunningReply extends Reply {
  /** How much was written. */
  readonly length: number;
  /** Forgets what was written since. @param length as it was then. */
  rollBack(length: number): void;
}

export class RunningCall<Written extends RunningReply = ReplyWriter> implements CommandCall {
  args: PlacedArguments;
  reply: Written;
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
  #changedKey: KeyText | undefined;
  #hasLooked = false;
  counted = 0;
  scriptedMs: number | undefined;
  /** Takes back what it has done besides its changes and its events; it is called when these are taken back. */
  undo: (() => void) | undefined;

  constructor(args: PlacedArguments, reply: Written, session: Session, cursors: ScanCursors) {
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

  /** What the call has written is taken back. */
  takeBack(): void {
    this.undo?.();
    this.undo = undefined;
  }

  looksAt(key: Uint8Array): boolean {
    if (this.#changedKey === undefined) return true;
    if (this.#hasLooked || this.#changedKey !== toKeyText(key)) return false;
    this.#hasLooked = true;
    return true;
  }

  /** It is to be tried again, since a key that it waits for has changed. */
  changed(key: KeyText): void {
    this.#changedKey = key;
    this.#hasLooked = false;
  }
}
