/** Faults of the simulated disk that wait for their call. */
import { DiskError } from '../../src/disk/disk.ts';
import type { Disk, DiskErrorCode, DiskFile } from '../../src/disk/disk.ts';
import type { SeededRandom } from './random.ts';

/** `read` and `write` are those of either kind, by the thread pool or at once. */
export type DiskCall = keyof Disk | Exclude<keyof DiskFile, 'readNow' | 'writeNow'>;

/** What a call that fails has done of what it was to do; `part` leaves it to chance. */
export type FaultEffect = 'none' | 'part' | 'whole';

export interface Fault {
  readonly call: DiskCall | 'any';
  /** It strikes the how-manieth such call from now on; 1 (default): the next. */
  readonly at?: number;
  /** Reads at once do not count: they fail the call alone that needed them. */
  readonly exceptNow?: boolean;
  /** No other reads count. */
  readonly onlyNow?: boolean;
  /** Only calls for paths that end so count. */
  readonly pathEnd?: string;
  /** Default `failed`. */
  readonly code?: DiskErrorCode;
  /** Default `part`. */
  readonly effect?: FaultEffect;
  /** From that call on all fail. */
  readonly isPermanent?: boolean;
}

/** What a call is told that is to fail: it throws this when it has done what it does of its work. */
export class InjectedError extends DiskError {
  readonly effect: FaultEffect;

  constructor(fault: Fault, call: DiskCall, path: string) {
    const { code = 'failed', effect = 'part' } = fault;
    super(code, messageOf(code, call, path));
    this.effect = effect;
  }

  /** Whether a change that is made or not has been made. */
  hasHappened(random: SeededRandom): boolean {
    // What there is no space for has not happened.
    if (this.effect === 'part') return this.code === 'failed' && random.chance(0.5);
    return this.effect === 'whole';
  }

  /** How many of so many bytes have been written. */
  bytesWritten(count: number, random: SeededRandom): number {
    if (this.effect === 'part') return random.below(count + 1);
    return this.effect === 'whole' ? count : 0;
  }

  /** What has become of one of the changes that a flush was to make durable. */
  fateOfChange(random: SeededRandom): ChangeFate {
    if (this.effect === 'part') return random.pick(CHANGE_FATES);
    return this.effect === 'whole' ? 'durable' : 'dropped';
  }
}

/**
 * - `durable`, `torn`: all of the change is durable, or a part of it.
 * - `dropped`: readers go on seeing it, but no later flush makes it durable.
 * - `pending`: as if the flush had not been.
 */
export type ChangeFate = 'durable' | 'torn' | 'dropped' | 'pending';

const CHANGE_FATES: readonly ChangeFate[] = ['durable', 'torn', 'dropped', 'pending'];

/** An error of the disk's own. */
export function failure(code: DiskErrorCode, call: DiskCall, path: string): DiskError {
  return new DiskError(code, messageOf(code, call, path));
}

function messageOf(code: DiskErrorCode, call: DiskCall, path: string): string {
  return `${call} ${path}: ${code} (simulated)`;
}

export class WaitingFaults {
  #faults: { readonly fault: Fault; callsLeft: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, callsLeft: fault.at ?? 1 });
  }

  clear(): void {
    this.#faults = [];
  }

  /** A call is made. @returns what it is to fail with. */
  take(call: DiskCall, path: string, isReadNow: boolean): InjectedError | undefined {
    let struck: Fault | undefined;
    for (const waiting of this.#faults) {
      const { fault } = waiting;
      if ((fault.call !== call && fault.call !== 'any') || !path.endsWith(fault.pathEnd ?? '')) continue;
      if (isReadNow && fault.exceptNow === true) continue;
      if (!isReadNow && fault.onlyNow === true) continue;
      waiting.callsLeft--;
      if (waiting.callsLeft === 0 || (waiting.callsLeft < 0 && fault.isPermanent === true)) struck ??= fault;
    }
    return struck && new InjectedError(struck, call, path);
  }
}
