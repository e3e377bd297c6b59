/**
 * The last minutes as columns for charts: a value for each point in time and series, `null` where there is none. Bounded in points and in
 * methods. A time in which nothing was asked for, such as while the tab was hidden, is a gap: a point without values.
 */
import { limits } from '../page/limits.ts';
import type { Figures, MethodFigures } from './figures.ts';

export type Column = readonly (number | null)[];

export interface Point {
  readonly timeMs: number;
  /** `undefined`: the first answer, or the first of another life of the server. */
  readonly figures: Figures | undefined;
  readonly memoryBytes: number;
  readonly residentBytes: number;
}

/** What is kept of one method. */
type MethodSeries = 'callsPerSecond' | 'p50Ms' | 'p99Ms';

interface MethodColumns {
  readonly callsPerSecond: (number | null)[];
  readonly p50Ms: (number | null)[];
  readonly p99Ms: (number | null)[];
}

const GAP_MS = 5000;

export class Recent {
  readonly #pointsMax: number;
  readonly #seconds: number[] = [];
  readonly #calls: (number | null)[] = [];
  readonly #flushMs: (number | null)[] = [];
  readonly #loopDelayMs: (number | null)[] = [];
  readonly #memoryBytes: (number | null)[] = [];
  readonly #residentBytes: (number | null)[] = [];
  readonly #methods = new Map<string, MethodColumns>();
  /** Which method each colour is of: one stays where it is as long as it is among the busiest. */
  readonly #shown: (string | undefined)[] = Array.from<undefined>({ length: limits.chartMethods });

  constructor(pointsMax: number = limits.chartPoints) {
    this.#pointsMax = pointsMax;
  }

  /** In seconds since 1970, ascending. */
  get seconds(): readonly number[] {
    return this.#seconds;
  }
  get callsPerSecond(): Column {
    return this.#calls;
  }
  get flushMs(): Column {
    return this.#flushMs;
  }
  get loopDelayMs(): Column {
    return this.#loopDelayMs;
  }
  get memoryBytes(): Column {
    return this.#memoryBytes;
  }
  get residentBytes(): Column {
    return this.#residentBytes;
  }
  /** By their colour. */
  get shownMethods(): readonly (string | undefined)[] {
    return this.#shown;
  }

  method(name: string, series: MethodSeries): Column {
    return this.#methods.get(name)?.[series] ?? [];
  }

  add({ timeMs, figures, memoryBytes, residentBytes }: Point): void {
    const seconds = timeMs / 1000;
    const last = this.#seconds.at(-1);
    // The clock was put back: what was before would not be.
    if (last !== undefined && seconds <= last) this.#drop(this.#seconds.length);
    else if (last !== undefined && seconds - last > GAP_MS / 1000)
      this.#push(last + 1, undefined, null, null);
    this.#push(seconds, figures, memoryBytes, residentBytes);
    this.#drop(this.#seconds.length - this.#pointsMax);
    this.#chooseShown();
  }

  get #columns(): (number | null)[][] {
    return [
      this.#calls,
      this.#flushMs,
      this.#loopDelayMs,
      this.#memoryBytes,
      this.#residentBytes,
      ...[...this.#methods.values()].flatMap((columns) => Object.values(columns) as (number | null)[][]),
    ];
  }

  #push(
    seconds: number,
    figures: Figures | undefined,
    memoryBytes: number | null,
    residentBytes: number | null,
  ): void {
    for (const method of figures?.methods ?? []) this.#makeRoom(method);
    this.#seconds.push(seconds);
    this.#calls.push(figures?.callsPerSecond ?? null);
    this.#flushMs.push(figures?.flushMs ?? null);
    this.#loopDelayMs.push(figures?.loopDelayP99Ms ?? null);
    this.#memoryBytes.push(memoryBytes);
    this.#residentBytes.push(residentBytes);
    const byName = new Map(figures?.methods.map((method) => [method.name, method]));
    for (const [name, columns] of this.#methods) {
      const method = byName.get(name);
      columns.callsPerSecond.push(figures === undefined ? null : (method?.callsPerSecond ?? 0));
      columns.p50Ms.push(method?.p50Ms ?? null);
      columns.p99Ms.push(method?.p99Ms ?? null);
    }
  }

  #makeRoom({ name, callsPerSecond }: MethodFigures): void {
    if (this.#methods.has(name) || callsPerSecond === 0) return;
    if (this.#methods.size >= limits.chartMethodsKept) return;
    const nothing = (): null[] => this.#seconds.map(() => null);
    this.#methods.set(name, { callsPerSecond: nothing(), p50Ms: nothing(), p99Ms: nothing() });
  }

  #drop(count: number): void {
    if (count <= 0) return;
    for (const column of [this.#seconds, ...this.#columns]) column.splice(0, count);
    for (const [name, { callsPerSecond }] of this.#methods) {
      if (!callsPerSecond.some((rate) => (rate ?? 0) > 0)) this.#methods.delete(name);
    }
  }

  #chooseShown(): void {
    const totals = [...this.#methods].map(([name, { callsPerSecond }]) => ({
      name,
      total: callsPerSecond.reduce<number>((sum, rate) => sum + (rate ?? 0), 0),
    }));
    const busiest = totals
      .sort((one, other) => other.total - one.total)
      .slice(0, limits.chartMethods)
      .map(({ name }) => name);
    for (const [slot, name] of this.#shown.entries()) {
      if (name !== undefined && !busiest.includes(name)) this.#shown[slot] = undefined;
    }
    for (const name of busiest) {
      const slot = this.#shown.indexOf(undefined);
      if (slot !== -1 && !this.#shown.includes(name)) this.#shown[slot] = name;
    }
  }
}
