/** What recipes take. */
import type { Codec } from '../namespace/codec.ts';

export interface LockOptions {
  /**
   * The time to live of its lease: how long others wait for what a holder has that has died, and how long the server may be out of reach
   * before what is held is lost. It is renewed each time a third of it has passed. 1000 to 100 years; default 10000.
   */
  readonly ttlMs?: number;
  /** Aborting it ends the wait, with the error `canceled`; what is held by then stays so. Left out: it waits for as long as it takes. */
  readonly signal?: AbortSignal;
}

export interface ElectOptions<Given> extends LockOptions {
  /** What observers are told of it, up to 64 KiB as the codec writes it. */
  readonly value: Given;
  /** Default `json()`. */
  readonly codec?: Codec<unknown, Given>;
}

export interface LeadersOptions<Read> {
  /** That of the candidates. Default `json()`. */
  readonly codec?: Codec<Read, never>;
  /** Aborting it ends the loop, without an error. */
  readonly signal?: AbortSignal;
}

export interface OnceOptions<Result> extends LockOptions {
  /** How the result is kept. Default: JSON, with an empty value for `undefined`. */
  readonly codec?: Codec<Result>;
  /** How long the result is kept; after that a call runs the function anew. Left out: until its key is deleted. */
  readonly recordTtlMs?: number;
}

/** What the function of `once` is given. */
export interface OnceRun {
  /** Aborted when it is to stop, since another process may run it by now, or its caller gave up. */
  readonly signal: AbortSignal;
  /** The fencing token of this run: that of a later one is higher. */
  readonly token: number;
}

export interface AdditionOptions {
  /** What names this addition, 1 to 512 bytes: one of the same id is not counted again. Left out: the call has an id of its own. */
  readonly id?: string;
  /** How long an id is remembered, from when it is counted. Default: a day; 10 minutes where the call has one of its own. */
  readonly idTtlMs?: number;
  /** Aborting it ends the call with the error `canceled`. */
  readonly signal?: AbortSignal;
}

export interface Addition {
  /** False: an addition of this id was counted before. */
  readonly counted: boolean;
  /** Of the counter, at `revision`. */
  readonly value: bigint;
  readonly revision: number;
}

export interface QueueOptions<Read, Given = Read> {
  /** How jobs are written and read. Default `json()`. */
  readonly codec?: Codec<Read, Given>;
  /** How often a job is taken before it becomes a dead letter, from 1 on. All who use the queue should say the same. Default 5. */
  readonly attemptsMax?: number;
  /** How long dead letters are kept. Default 30 days. */
  readonly deadTtlMs?: number;
}

export interface EnqueueOptions {
  /** For so long it is not taken. Default 0. */
  readonly delayMs?: number;
  /** Aborting it ends the call with the error `canceled`. */
  readonly signal?: AbortSignal;
}

export interface NackOptions {
  /** For so long it is not taken again. Default 0. */
  readonly delayMs?: number;
  /** Aborting it ends the call with the error `canceled`. */
  readonly signal?: AbortSignal;
}

export interface WorkerOptions {
  /**
   * The time to live of the lease of this worker: how long its jobs wait for another one when it has died. It is renewed each time a third of it
   * has passed. 1000 to 100 years; default 10000.
   */
  readonly ttlMs?: number;
  /** Aborting it ends the loop, without an error, and gives back what is not done. */
  readonly signal?: AbortSignal;
}
