/** Checks of what recipes are called with, for programs that have no types. */
import { roundedTimes } from '../../arguments/calls.ts';
import {
  type Check,
  instanceOf,
  mustBe,
  numberThat,
  required,
  text,
  wholeNumber,
} from '../../arguments/check.ts';
import { type Table, optionsOf } from '../../arguments/shape.ts';
import { client as limits } from '../../limits.ts';
import { listTable } from '../calls/call-arguments.ts';
import type { ListOptions } from '../messages/types.ts';
import { isCodec } from '../namespace/given-codec.ts';
import type {
  AdditionOptions,
  ElectOptions,
  EnqueueOptions,
  LeadersOptions,
  LockOptions,
  NackOptions,
  OnceOptions,
  QueueOptions,
  WorkerOptions,
} from './types.ts';

export const permits = wholeNumber(1, limits.recipes.permitsMax);

const signal = instanceOf(AbortSignal);
const { ttlMs, ttlMsOrZero: delayMs, leaseTtlMs } = roundedTimes;

const holdTable: Table<LockOptions> = { ttlMs: leaseTtlMs, signal };

/** The codec says what is wrong with it. */
const anything: Check<never> = (given) =>
  given === undefined ? mustBe(given, 'something that the codec can write') : undefined;

export const optionsByRecipe = {
  lock: optionsOf<LockOptions>('lock', holdTable),
  tryLock: optionsOf<LockOptions>('tryLock', holdTable),
  semaphore: optionsOf<LockOptions>('semaphore', holdTable),
  trySemaphore: optionsOf<LockOptions>('trySemaphore', holdTable),
  elect: optionsOf<ElectOptions<never>>('elect', {
    ...holdTable,
    value: required(anything),
    codec: isCodec(),
  }),
  leaders: optionsOf<LeadersOptions<unknown>>('leaders', { codec: isCodec(), signal }),
  once: optionsOf<OnceOptions<unknown>>('once', {
    ...holdTable,
    codec: isCodec(),
    recordTtlMs: ttlMs,
  }),
  queue: optionsOf<QueueOptions<unknown, never>>('queue', {
    codec: isCodec(),
    attemptsMax: numberThat((count) => Number.isSafeInteger(count) && count >= 1, 'a whole number from 1 on'),
    deadTtlMs: ttlMs,
  }),
};

const idCheck: Check<string> = (given) => {
  const wrong = text(given);
  if (wrong !== undefined) return wrong;
  const byteCount = Buffer.byteLength(given as string);
  const { idBytesMax } = limits.recipes;
  return byteCount >= 1 && byteCount <= idBytesMax
    ? undefined
    : ` has ${byteCount} bytes; it must have 1 to ${idBytesMax}`;
};

export const addOptions = optionsOf<AdditionOptions>('add', { id: idCheck, idTtlMs: ttlMs, signal });
export const enqueueOptions = optionsOf<EnqueueOptions>('enqueue', { delayMs, signal });
export const nackOptions = optionsOf<NackOptions>('nack', { delayMs, signal });
export const takeOptions = optionsOf<WorkerOptions>('take', { ttlMs: leaseTtlMs, signal });
export const deadLettersOptions = optionsOf<ListOptions>('deadLetters', listTable);
