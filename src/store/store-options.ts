/** What `openStore` takes, for programs that have no types to check it. */
import type { FsyncPolicy } from '../api.ts';
import { type Check, callback, mustBe, oneOf, required, text, wholeNumber } from '../arguments/check.ts';
import { type Table, isRecord, optionsOf, shape } from '../arguments/shape.ts';
import { type Limits, defaults, fixed } from '../limits.ts';
import type { StoreOptions } from './open-durable-store.ts';

const zeroIsAllowed: ReadonlySet<string> = new Set<keyof Limits>([
  'logRetentionBytes',
  'logRetentionMs',
  'leasesMax',
  'watchersMax',
]);

const limitNames = Object.keys(defaults) as (keyof Limits)[];

const limits = shape<Partial<Limits>>(
  Object.fromEntries(
    limitNames.map((name) => [name, wholeNumber(zeroIsAllowed.has(name) ? 0 : 1, fixed.integerMax)]),
  ) as Table<Partial<Limits>>,
);

const fsync = oneOf<FsyncPolicy>(['always', 'interval', 'never']);

const path: Check<string> = (given) => (given === '' ? ' is empty; it must be a path' : text(given));

/** A part that is injected; which methods it has is for types to say. */
function part<Part>(): Check<Part> {
  return (given) => (isRecord(given) ? undefined : mustBe(given, 'an object'));
}

/** A misspelt option must not be overlooked: it could be the one that makes writes durable. */
export const storeOptions = optionsOf<StoreOptions>(
  'openStore',
  {
    dataDir: required(path),
    fsync,
    limits,
    memoryBytesMax: wholeNumber(1, fixed.integerMax),
    onRecoveryProgress: callback(),
    onEvent: callback(),
    clock: part(),
    random: part(),
    disk: part(),
    makeEngine: callback(),
  },
  "{ dataDir: './data' }",
);
