/** Addresses that no other machine reaches. */

/** Of an end of a connection, as the system writes it; empty for what has none. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
