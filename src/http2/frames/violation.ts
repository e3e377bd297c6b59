/**
 * The peer broke a rule or a limit of the connection as a whole: what is thrown while its bytes are read, and ends in GOAWAY
 * (RFC 9113, section 5.4.1). What concerns one stream is no exception: the stream is reset, and the reading goes on.
 */
import type { ErrorCode } from '../contract/error-code.ts';

export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code: ErrorCode;

  /** @param reason goes to the peer, and so says what it did wrong. */
  constructor(code: ErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}
