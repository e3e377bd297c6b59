/**
 * A counter that many add to, each addition once, also when its answer was lost or the program hands it in twice.
 *
 * The number is one key, as `client.increment` has it. More keys would not make it faster: the server adds without a conflict, however many
 * add at a time. Beside it each addition leaves its id, for a while, which is written in one transaction with the number: so a call may be
 * made again until it is answered, and costs two writes.
 */
import { named } from '../../arguments/check.ts';
import { delta as isDelta } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import { client as limits } from '../../limits.ts';
import { plainOptions } from '../calls/call-arguments.ts';
import { incompleteReply } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import type { CallOptions } from '../messages/types.ts';
import { answered } from './answered.ts';
import { addOptions } from './arguments.ts';
import { type RecipeHost, newest } from './host.ts';
import { prefixOf, randomId } from './names.ts';
import type { AdditionOptions, Addition } from './types.ts';

const valueOptions = plainOptions('value');

export class Counter {
  /** Of the number. */
  readonly key: string;
  readonly #host: RecipeHost;

  /** @internal */
  constructor(host: RecipeHost, key: string) {
    this.#host = host;
    this.key = key;
  }

  /**
   * Adds to the counter, unless an addition of the same id was counted. A call whose answer was lost is made again until it is known whether
   * it was. Rejects with `notAnInteger`, `integerOverflow`; with an error that `mayHaveTakenEffect` when that could not be known in time: with
   * an id of its own it may be made again.
   */
  async add(delta: bigint | number = 1n, options: AdditionOptions = noOptions): Promise<Addition> {
    refuse(named('delta', isDelta(delta)) ?? addOptions(options));
    const { id, signal } = options;
    const { ownIdTtlMs, idTtlMs } = limits.recipes;
    const call = randomId();
    const key = prefixOf(this.key, 'seen') + (id ?? call);
    const ttlMs = options.idTtlMs ?? (id === undefined ? ownIdTtlMs : idTtlMs);
    const request = {
      compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'exists', value: false } }],
      success: [
        { kind: 'increment', key: this.key, delta },
        { kind: 'put', key, value: call, ttlMs },
      ],
      failure: [
        { kind: 'get', key: this.key },
        { kind: 'get', key },
      ],
    } as const;
    const given = signal ? { signal } : {};
    const { keys, caller } = this.#host;
    const { results, revision } = await answered(caller, () => keys.txn(request, given), signal);
    const [number, seen] = results;
    if (number?.kind === 'increment') return { counted: true, value: number.value, revision };
    if (number?.kind !== 'get' || seen?.kind !== 'get') throw incompleteReply('a result');
    // An earlier try of this call, or an earlier call.
    const counted = seen.entry?.text() === call;
    return { counted, value: BigInt(number.entry?.text() ?? 0), revision };
  }

  /** What it has come to; 0 when nothing was added. */
  async value(options: CallOptions = noOptions): Promise<bigint> {
    refuse(valueOptions(options));
    const { entry } = await this.#host.keys.get(this.key, { ...newest, ...options });
    return BigInt(entry?.text() ?? 0);
  }
}
