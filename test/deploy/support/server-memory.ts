/** Whether a memory limit leaves room in a container for what else the server holds; docs/production.md, "Sizing". */
import { serverDefaults, defaults } from '../../../src/limits.ts';

const MiB = 1024 ** 2;

/** Output that clients do not read, over TLS in both forms; newest changes and messages that watches share; Node itself. */
const OTHER_BYTES = (128 + 40 + 16 + 64) * MiB;

/** What the server may take at its defaults besides keys, values and history. */
export const besideStateBytes = serverDefaults.callBytesMax + defaults.unflushedBytesMax + OTHER_BYTES;
