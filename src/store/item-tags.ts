/** The tags of the messages that are read and written in place, as `proto/kelp/storage/v1` numbers their fields. */

/** A tag is the number of the field, times 8, and 2 for what has a length, 0 for a number. */
export const BLOCK_VERSION = 0x0a;
export const BLOCK_LEASE = 0x12;
export const RECORD_REVISION = 0x08;
export const RECORD_TIME_MS = 0x10;
export const RECORD_LEASE_CLOCK_MS = 0x18;
export const RECORD_EFFECT = 0x22;
export const EFFECT_PUT = 0x0a;
export const EFFECT_DELETE = 0x12;
export const PUT_KEY = 0x0a;
export const PUT_VALUE = 0x12;
export const PUT_CREATE_REVISION = 0x18;
export const PUT_VERSION = 0x20;
export const PUT_LEASE_ID = 0x28;
export const PUT_TTL_MS = 0x30;
export const PUT_EXPIRE_TIME_MS = 0x38;
export const PUT_KIND = 0x40;
export const DELETE_KEY = 0x0a;
export const DELETE_REASON = 0x10;
export const VERSION_KEY = 0x0a;
export const VERSION_REVISION = 0x10;
export const VERSION_DELETED = 0x18;
export const VERSION_VALUE = 0x22;
export const VERSION_CREATE_REVISION = 0x28;
export const VERSION_MOD_REVISION = 0x30;
export const VERSION_VERSION = 0x38;
export const VERSION_LEASE_ID = 0x40;
export const VERSION_TTL_MS = 0x48;
export const VERSION_EXPIRE_TIME_MS = 0x50;
export const VERSION_KIND = 0x58;
