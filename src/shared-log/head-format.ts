/**
 * The head as it lies in the log, as text so that an operator can read it with the tools of the system:
 *
 *   {"format":2,"storeId":"9f…","epoch":2,"position":4,"checksum":"0b41d2c9","logBytes":721,"nonce":"3c…"}
 *
 * A head is compared as bytes, so it has one form alone: what does not come out as it went in is refused as damaged.
 */
import type { LogHead } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

export const STORE_ID_BYTES = 16;
export const NONCE_BYTES = 16;

const FORMAT = 2;

const HEAD =
  /^\{"format":2,"storeId":"([0-9a-f]{32})","epoch":(\d{1,16}),"position":(\d{1,16}),"checksum":"([0-9a-f]{8})","logBytes":(\d{1,16}),"nonce":"([0-9a-f]{32})"\}$/;
const ANY_FORMAT = /^\{"format":(\d{1,9}),/;

export function encodeHead({ storeId, epoch, position, checksum, logBytes, nonce }: LogHead): Uint8Array {
  const id = hexOf(storeId);
  return Buffer.from(
    `{"format":${FORMAT},"storeId":"${id}","epoch":${epoch},"position":${position},` +
      `"checksum":"${checksumText(checksum)}","logBytes":${logBytes},"nonce":"${nonce}"}`,
  );
}

/** @throws SharedLogError `damaged` */
export function decodeHead(bytes: Uint8Array): LogHead {
  const [, storeId, epoch, position, checksum, logBytes, nonce] = HEAD.exec(textOf(bytes)) ?? [];
  if (storeId === undefined || checksum === undefined || nonce === undefined) throw unreadable(bytes);
  const head = {
    storeId: Buffer.from(storeId, 'hex'),
    epoch: Number(epoch),
    position: Number(position),
    checksum: Number.parseInt(checksum, 16),
    logBytes: Number(logBytes),
    nonce,
  };
  const numbers = [head.epoch, head.position, head.logBytes];
  if (!numbers.every(Number.isSafeInteger) || !isSame(bytes, head)) throw unreadable(bytes);
  return head;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** As messages and the head show it. */
export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}

function isSame(bytes: Uint8Array, head: LogHead): boolean {
  return Buffer.compare(bytes, encodeHead(head)) === 0;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function unreadable(bytes: Uint8Array): SharedLogError {
  const [, format] = ANY_FORMAT.exec(textOf(bytes)) ?? [];
  if (format !== undefined && Number(format) !== FORMAT) {
    return new SharedLogError(
      'damaged',
      `the shared log is of format ${format}, and this version reads format ${FORMAT} alone: use the version that made it, or make another ` +
        'shared log (kelp cluster init) and move the data into it',
    );
  }
  const text = JSON.stringify(textOf(bytes.subarray(0, 200)));
  return new SharedLogError(
    'damaged',
    `the head of the shared log can't be read: ${text}; was it written by hand?`,
  );
}
