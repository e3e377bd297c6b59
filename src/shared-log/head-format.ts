/**
 * The head as it lies in the log, as text so that an operator can read it with the tools of the system:
 *
 *   {"format":1,"storeId":"9f…","epoch":2,"position":4,"nonce":"3c…"}
 *
 * A head is compared as bytes, so it has one form alone: what does not come out as it went in is refused as damaged.
 */
import type { LogHead } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export const STORE_ID_BYTES = 16;
export const NONCE_BYTES = 16;

const HEAD =
  /^\{"format":1,"storeId":"([0-9a-f]{32})","epoch":(\d{1,16}),"position":(\d{1,16}),"nonce":"([0-9a-f]{32})"\}$/;

export function encodeHead({ storeId, epoch, position, nonce }: LogHead): Uint8Array {
  const id = hexOf(storeId);
  return Buffer.from(
    `{"format":1,"storeId":"${id}","epoch":${epoch},"position":${position},"nonce":"${nonce}"}`,
  );
}

/** @throws SharedLogError `damaged` */
export function decodeHead(bytes: Uint8Array): LogHead {
  const [, storeId, epoch, position, nonce] = HEAD.exec(textOf(bytes)) ?? [];
  if (storeId === undefined || nonce === undefined) throw unreadable(bytes);
  const head = {
    storeId: Buffer.from(storeId, 'hex'),
    epoch: Number(epoch),
    position: Number(position),
    nonce,
  };
  if (!Number.isSafeInteger(head.epoch) || !Number.isSafeInteger(head.position) || !isSame(bytes, head)) {
    throw unreadable(bytes);
  }
  return head;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function isSame(bytes: Uint8Array, head: LogHead): boolean {
  return Buffer.compare(bytes, encodeHead(head)) === 0;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function unreadable(bytes: Uint8Array): SharedLogError {
  const text = JSON.stringify(textOf(bytes.subarray(0, 200)));
  return new SharedLogError(
    'damaged',
    `the head of the shared log can't be read: ${text}; was it written by hand, or by a newer version?`,
  );
}
