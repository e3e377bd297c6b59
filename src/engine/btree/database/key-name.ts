/** How a key is named in an error: as text if it is plain, else by its bytes. */

const SHOWN_BYTES_MAX = 64;

export function nameOfKey(key: Uint8Array): string {
  const shown = Buffer.from(key.subarray(0, SHOWN_BYTES_MAX));
  const text = shown.toString('latin1');
  const name = /^[\x20-\x7e]+$/.test(text) ? JSON.stringify(text) : `0x${shown.toString('hex')}`;
  return key.length > SHOWN_BYTES_MAX ? `${name}... of ${key.length} bytes` : name;
}
