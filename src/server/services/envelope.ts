/** What stands before each message of gRPC, gRPC-Web and Connect streams: a byte of flags, four of the message's length. */

export const PREFIX_BYTES = 5;

/** Writes the prefix of a message that is not compressed, at `start`. */
export function writePrefix(buffer: Buffer, start: number, messageBytes: number): void {
  buffer[start] = 0;
  buffer[start + 1] = messageBytes >>> 24;
  buffer[start + 2] = messageBytes >>> 16;
  buffer[start + 3] = messageBytes >>> 8;
  buffer[start + 4] = messageBytes;
}
