/**
 * A function whose result is made once and given to all who ask for it, by a key that holds the result.
 *
 * - Who finds no result takes the lock of the key and looks again: one at a time runs the function.
 * - The result is written under the condition that the lock is still held and that there is none yet: one result is recorded, and all get that.
 * - A process that dies while it runs the function has recorded nothing, and the next one runs it anew. So the function runs at least once,
 *   and may have been run in part: what it does elsewhere must bear that, or be fenced by its token.
 */
import { bytesOf } from '../../arguments/value.ts';
import { client as limits } from '../../limits.ts';
import { KelpError } from '../errors/error.ts';
import type { Codec } from '../namespace/codec.ts';
import { json } from '../namespace/codec.ts';
import { decodeBy, encodeBy } from '../namespace/given-codec.ts';
import { answered } from './answered.ts';
import { Held, hold } from './held.ts';
import { type RecipeHost, newest } from './host.ts';
import { prefixOf } from './names.ts';
import type { OnceOptions, OnceRun } from './types.ts';

const plainJson = json<unknown>();

/** A function that gives nothing has a result, too: that it has run. */
const jsonOrNothing: Codec<unknown> = {
  encode: (value) => (value === undefined ? '' : plainJson.encode(value)),
  decode: (bytes) => (bytes.length === 0 ? undefined : plainJson.decode(bytes)),
};

export async function runOnce<Result>(
  host: RecipeHost,
  key: string,
  run: (run: OnceRun) => Result | Promise<Result>,
  options: OnceOptions<Result>,
): Promise<Result> {
  const { codec = jsonOrNothing as Codec<Result>, ttlMs = limits.recipes.ttlMs, signal } = options;
  const made = { host, key, codec, recordTtlMs: options.recordTtlMs, signal };
  const known = await recorded(made);
  if (known !== undefined) return known.result;
  const line = { prefix: prefixOf(key, 'lock'), width: 1 };
  const wanted = { line, value: '', ttlMs, signal };
  const lock = await hold(host, wanted, (place, lease) => new Held(host, key, place, lease));
  try {
    const meanwhile = await recorded(made);
    if (meanwhile !== undefined) return meanwhile.result;
    const stopped = signal === undefined ? lock.signal : AbortSignal.any([lock.signal, signal]);
    return await record(made, lock, await run({ signal: stopped, token: lock.token }));
  } finally {
    // What is recorded is recorded; where this fails the time to live does it.
    await lock.release().catch(() => undefined);
  }
}

interface Made<Result> {
  readonly host: RecipeHost;
  readonly key: string;
  readonly codec: Codec<Result>;
  readonly recordTtlMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @returns `undefined`: there is no result yet. */
async function recorded<Result>(made: Made<Result>): Promise<{ readonly result: Result } | undefined> {
  const { host, key, codec, signal } = made;
  const { entry } = await host.keys.get(key, { ...newest, ...(signal && { signal }) });
  return entry && { result: decodeBy(codec, key, entry.value) };
}

/** @returns the result that is recorded, be it that of another run. */
async function record<Result>(made: Made<Result>, lock: Held, result: Result): Promise<Result> {
  const { host, key, codec, recordTtlMs } = made;
  const value = encodeBy(codec, result);
  const request = {
    compares: [
      lock.guard,
      { subject: { key }, relation: 'equal', operand: { kind: 'exists', value: false } },
    ],
    success: [{ kind: 'put', key, value, ...(recordTtlMs !== undefined && { ttlMs: recordTtlMs }) }],
  } as const;
  // A signal that is aborted now comes too late: what has been done is better known than not.
  const { succeeded } = await answered(host.caller, () => host.keys.txn(request, {}), undefined);
  // As later callers see it.
  if (succeeded) return decodeBy(codec, key, bytesOf(value));
  const found = await recorded({ ...made, signal: undefined });
  if (found !== undefined) return found.result;
  throw (
    (lock.signal.reason as Error | undefined) ??
    new KelpError('leaseNotFound', `the lock of ${key} was lost before the result was recorded`, undefined)
  );
}
