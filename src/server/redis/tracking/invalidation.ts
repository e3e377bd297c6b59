/** What clients that cache are sent, beside replies: which keys they are to forget, and that no one can be told of them. */
import { ReplyWriter } from '../protocol/reply-writer.ts';
import type { KeyNameText } from './tracked-keys.ts';

/** Where clients of RESP2 hear of it. */
const CHANNEL = '__redis__:invalidate';

/** @param names `undefined`: all keys. */
export function invalidation(version: 2 | 3, names: Iterable<KeyNameText> | undefined): Buffer {
  const writer = writerOf(version);
  if (version === 3) {
    writer.push(2);
    writer.text('invalidate');
  } else {
    writer.array(3);
    writer.text('message');
    writer.text(CHANNEL);
  }
  if (names === undefined) writer.nil();
  else {
    const all = [...names];
    writer.array(all.length);
    for (const name of all) writer.bulk(Buffer.from(name, 'latin1'));
  }
  return writer.take();
}

/** The client that it is redirected to is gone. For RESP3 alone. */
export function brokenRedirect(id: number): Buffer {
  const writer = writerOf(3);
  writer.push(2);
  writer.text('tracking-redir-broken');
  writer.integer(id);
  return writer.take();
}

function writerOf(version: 2 | 3): ReplyWriter {
  const writer = new ReplyWriter();
  writer.version = version;
  return writer;
}
