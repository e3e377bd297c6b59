/** The id of a store as others may see it, made of the secret one by a hash that does not lead back. */
import { createHash } from 'node:crypto';

/**
 * The id of a store as it is shown: 32 hexadecimal digits. The checksums of the log begin from the id itself, so that
 * no frame can be forged inside of a value; what is shown therefore only tells stores apart.
 */
export function publicStoreId(storeId: Uint8Array): string {
  return createHash('sha256').update(storeId).digest('hex').slice(0, 32);
}

export function isPublicStoreId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
