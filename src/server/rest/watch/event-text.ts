/**
 * The messages of a watch as Server-Sent Events (HTML, section 9.2). The data of each is the JSON that `kelp watch --json` prints.
 *
 *     event: current                            some of the present entries; without an id
 *     data: {"kind":"current",...}
 *
 *     event: synced, event: progress            everything up to the revision has been sent
 *     data: {"kind":"synced",...}
 *     id: 4c1d5b9a07e2-17
 *
 *     data: {"kind":"events",...,"events":[     all events of one revision: a "message" of EventSource
 *     data: {...},{...}]}
 *     id: 4c1d5b9a07e2-18
 *
 * A revision is one event, however many messages of the watch it takes: a further line of data each. A reader drops an event that does
 * not come to its end, and takes its id with it: so it has seen all of a revision or nothing, and what it asks for when it comes again
 * is the next one.
 */
import type { WatchMessage } from '../../../api.ts';
import { eventJson, watchJson } from '../../../api-json.ts';
import { serverFixed } from '../../../limits.ts';
import type { WatchForm } from '../../../store/watch/messages/pulled-watch.ts';
import { JsonText } from '../../json/json-text.ts';
import { writeForm } from '../../json/write-form.ts';
import { messageBytes } from '../../services/watch/bytes.ts';
import { type Problem, problemJson } from '../problem.ts';
import { shortPlace } from '../short-place.ts';

/** A message of a watch, as it is sent. Several watches may have the same. */
export interface EventText {
  /** What its keys and values take, at most. */
  readonly contentBytes: number;
  /** The revision to begin at when the stream breaks behind it; `undefined`: as before it. */
  readonly resumeRevision: number | undefined;
  /** Whether the next message goes on with its event. */
  readonly isOpen: boolean;
  /** Written once for all watches; `undefined`: it is long, and each writes it in pieces. */
  readonly written: Written | undefined;
  readonly message: WatchMessage;
}

interface Written {
  readonly bytes: Buffer;
  /** What of it is sent begins here when it goes on with an event. */
  readonly continuedAt: number;
}

/** Some or all events of a revision. */
type EventsMessage = Extract<WatchMessage, { readonly kind: 'events' }>;

/** Before what goes on with an event. */
export const CONTINUED = Buffer.from('data: ,');

export const eventForms = {
  withValues: eventForm(true),
  keysOnly: eventForm(false),
} as const;

function eventForm(hasValues: boolean): WatchForm<EventText> {
  return {
    isShared: true,
    make(message) {
      const contentBytes = messageBytes(message);
      return {
        contentBytes,
        resumeRevision: message.kind === 'current' ? undefined : message.revision + (isOpen(message) ? 0 : 1),
        isOpen: isOpen(message),
        written: contentBytes <= serverFixed.jsonPieceBytes ? written(message, hasValues) : undefined,
        message,
      };
    },
  };
}

function isOpen(message: WatchMessage): boolean {
  return message.kind === 'events' && message.moreFragments;
}

function written(message: WatchMessage, hasValues: boolean): Written {
  const text = textOf(message, hasValues, false);
  const pieces: Buffer[] = [];
  for (let piece = text.take(); piece !== undefined; piece = text.take()) pieces.push(piece);
  const continuedAt = message.kind === 'events' ? Buffer.byteLength(headOf(message)) : 0;
  return { bytes: Buffer.concat(pieces), continuedAt };
}

/** @param isContinued whether it goes on with an event that others have begun. */
export function textOf(message: WatchMessage, hasValues: boolean, isContinued: boolean): JsonText {
  const text = new JsonText();
  if (message.kind === 'events') {
    writeEvents(message, hasValues, isContinued, text);
  } else {
    text.text(`event: ${message.kind}\ndata: `);
    writeForm(watchJson(message, hasValues), text);
    text.text(message.kind === 'current' ? '\n\n' : endOf(message));
  }
  text.end();
  return text;
}

function writeEvents(message: EventsMessage, hasValues: boolean, isContinued: boolean, text: JsonText): void {
  text.text(isContinued ? CONTINUED.toString() : headOf(message));
  let before = '';
  for (const event of message.events) {
    text.text(before);
    writeForm(eventJson(event, hasValues), text);
    before = ',';
  }
  text.text(isOpen(message) ? '\n' : `]}${endOf(message)}`);
}

/** All before the first of the events, which are the last member. */
function headOf(message: EventsMessage): string {
  const withoutEvents = JSON.stringify(watchJson({ ...message, events: [] }, false));
  return `data: ${withoutEvents.slice(0, -']}'.length)}`;
}

function endOf({ incarnation, revision }: Pick<WatchMessage, 'incarnation' | 'revision'>): string {
  return `\nid: ${shortPlace(incarnation, revision)}\n\n`;
}

/** The time after which a reader that lost its stream comes again. */
export function retryText(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

/** Says why the stream ends behind it. */
export function errorText(problem: Problem): string {
  return `event: error\ndata: ${problemJson(problem).trimEnd()}\n\n`;
}
