/** The meters of all doors and methods. Asked when a route is made, not for each call. */
import { CallMeter } from './call-meter.ts';
import { TurnTimes } from './turn-times.ts';
import { type Door, methodNames } from './routes.ts';

const known = new Set(methodNames);

export class CallMeters {
  readonly turns = new TurnTimes();
  readonly #meterByRoute = new Map<string, CallMeter>();

  /** @param method of `methodNames`; any other counts as `other`. */
  of(door: Door, method: string): CallMeter {
    const name = known.has(method) ? method : 'other';
    const route = `${door} ${name}`;
    let meter = this.#meterByRoute.get(route);
    if (meter === undefined) {
      meter = new CallMeter(door, name);
      this.#meterByRoute.set(route, meter);
    }
    return meter;
  }

  /** Those with calls, in the order of their doors and methods. */
  get used(): readonly CallMeter[] {
    return [...this.#meterByRoute.values()]
      .filter(({ begunCount }) => begunCount > 0)
      .sort((one, other) => compare(one.door, other.door) || compare(one.method, other.method));
  }
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
