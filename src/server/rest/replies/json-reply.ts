/**
 * Replies in JSON that may be long. They are made in pieces, each when the client has taken the one before and this turn of the
 * event loop has time for it.
 */
import { JsonText } from '../../json/json-text.ts';
import { jsonTurns } from '../../json/turn-work.ts';
import { writeForm } from '../../json/write-form.ts';
import type { RestCall } from '../rest-call.ts';
import { PacedReply } from './paced-reply.ts';

const HEADERS = ['content-type', 'application/json', 'cache-control', 'no-store'];

/** In how many forms what a reply shows is held: as the store gave it, and as the piece that is sent. */
export const JSON_REPLY_COPIES = 2;

/** Sends a form of `api-json.ts`. */
export async function sendForm(call: RestCall, form: unknown): Promise<void> {
  const text = await jsonTurns.run(() => {
    const made = new JsonText();
    writeForm(form, made);
    made.text('\n');
    made.end();
    return made;
  });
  await sendPieces(call, () => text.take());
}

/** @param next makes the next piece; `undefined`: that was all. */
export async function sendPieces(call: RestCall, next: () => Buffer | undefined): Promise<void> {
  const first = (await jsonTurns.run(next)) ?? Buffer.alloc(0);
  let piece = await jsonTurns.run(next);
  if (piece === undefined) return call.send(200, HEADERS, first);
  if (call.isHead) return call.sendHead(200, HEADERS);
  const reply = new PacedReply(call, HEADERS);
  let isRead = await reply.write(first);
  while (isRead && piece !== undefined) {
    isRead = await reply.write(piece);
    if (isRead) piece = await jsonTurns.run(next);
  }
  reply.end();
}
