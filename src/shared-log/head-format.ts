/**
 * Head and mark as they lie in the log, as text so that an operator can read them with the tools of the system:
 *
 *   head  {"format":1,"storeId":"9f…","epoch":2,"position":4,"nonce":"3c…"}
 *   mark  {"format":1,"first":3}
 *
 * A head is compared as bytes, so it has one form alone: what does not come out as it went in is refused as damaged.
 */
import type { LogHead } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export const STORE_ID_BYTES = 16;
export const NONCE_BYTES = 16;

const HEAD =
  /^\{"format":1,"storeId":"([0-9a-f]{32})","epoch":(\d{1,16}),"position":(\d{1,16}),"nonce":"([0-9a-f]{32})"\}$/;
const MARK = /^\{"format":1,"first":(\d{1,16})\}$/;

export function encodeHead({ storeId, epoch, position, nonce }: LogHead): Uint8Array {
  const id = hexOf(storeId);
  return Buffer.from(
    `{"format":1,"storeId":"${id}","epoch":${epoch},"position":${position},"nonce":"${nonce}"}`,
  );
}

/** @throws SharedLogError `damaged` */
export function decodeHead(bytes: Uint8Array): LogHead {
  const [, storeId, epoch, position, nonce] = HEAD.exec(textOf(bytes)) ?? [];
  if (storeId === undefined || nonce === undefined) throw unreadable('head', bytes);
  const head = {
    storeId: Buffer.from(storeId, 'hex'),
    epoch: Number(epoch),
    position: Number(position),
    nonce,
  };
  if (!Number.isSafeInteger(head.epoch) || !Number.isSafeInteger(head.position) || !isSame(bytes, head)) {
    throw unreadable('head', bytes);
  }
  return head;
}

/** @param first the oldest position that is kept. */
export function encodeMark(first: number): Uint8Array {
  return Buffer.from(`{"format":1,"first":${first}}`);
}

/** @throws SharedLogError `damaged` */
export function decodeMark(bytes: Uint8Array): number {
  const [, digits] = MARK.exec(textOf(bytes)) ?? [];
  const first = Number(digits);
  if (!Number.isSafeInteger(first) || first < 1) throw unreadable('mark', bytes);
  return first;
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

function unreadable(what: string, bytes: Uint8Array): SharedLogError {
  const text = JSON.stringify(textOf(bytes.subarray(0, 200)));
  return new SharedLogError(
    'damaged',
    `the ${what} of the shared log can't be read: ${text}; was it written by hand, or by a newer version?`,
  );
}
