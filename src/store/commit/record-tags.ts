/** The fields that records written by straight code have (`log.proto`): each tag says a number, or bytes with their length before them. */
export const RECORD = { revision: 0x08, timeMs: 0x10, leaseClockMs: 0x18, effect: 0x22 };
export const EFFECT = { put: 0x0a, delete: 0x12 };
export const PUT = {
  key: 0x0a,
  value: 0x12,
  createRevision: 0x18,
  version: 0x20,
  kind: 0x40,
  collectionId: 0x50,
};
export const DELETE = { key: 0x0a, reason: 0x10 };

export const INT64_BYTES_MAX = 8;
export const LENGTH_BYTES_MAX = 5;
