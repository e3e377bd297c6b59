/** Keys that tests of commands about keys are about, and replies taken apart. */
import { type DecodedReply, SimpleReply } from '../../support/decoded-reply.ts';
import type { Word } from '../../support/words.ts';

export const oddKeys: readonly Word[] = [
  'a',
  'b',
  'user:1',
  'user:2',
  'user:11',
  'x*y',
  Uint8Array.of(0xff, 0, 1),
  Uint8Array.of(0xf8),
  Uint8Array.of(0xf9, 1, 0x61),
  Buffer.from('line\r\nend'),
];
export function asArray(reply: DecodedReply | undefined): readonly DecodedReply[] {
  if (!Array.isArray(reply)) throw new Error('the reply is no array');
  return reply;
}

export function textsOf(reply: DecodedReply | undefined): string[] {
  return asArray(reply).map(textOf);
}

export function textOf(reply: DecodedReply | undefined): string {
  if (reply instanceof SimpleReply) return reply.text;
  if (typeof reply !== 'string') throw new Error('the reply is no text');
  return reply;
}
