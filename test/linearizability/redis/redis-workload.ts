/** What clients of Redis ask for at random, such that those of several connections get in each other's way. */
import type { SeededRandom } from '../../support/random.ts';
import type { Step, Words } from './redis-model.ts';

const TEXTS = ['a', 'b'] as const;
const COUNTER = 'n';
const HASH = 'h';
const FIELDS = ['x', 'y'] as const;
const FIELD_COUNTER = 'c';
const QUEUE = 'q';

/** Shows all that there is, at one instant. */
export const READ_ALL: Step = {
  isTransaction: true,
  commands: [
    ...[...TEXTS, COUNTER].map((key) => ['GET', key]),
    ...[...FIELDS, FIELD_COUNTER].map((field) => ['HGET', HASH, field]),
    ['LRANGE', QUEUE, '0', '-1'],
  ],
};

export class RedisWorkload {
  readonly #random: SeededRandom;
  #valueCount = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** One step, or the few that belong together. */
  next(): Step[] {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 72) return [alone(this.#command())];
    if (dice < 84) return [this.#transaction()];
    if (dice < 88) return [READ_ALL];
    const key = random.pick<string>([...TEXTS, HASH, QUEUE]);
    const read =
      key === HASH ? ['HGET', key, FIELDS[0]] : key === QUEUE ? ['LRANGE', key, '0', '-1'] : ['GET', key];
    return [alone(['WATCH', key]), alone(read), this.#transaction()];
  }

  #transaction(): Step {
    const commands = Array.from({ length: this.#random.between(1, 3) }, () => this.#command());
    return { isTransaction: true, commands };
  }

  #command(): Words {
    const random = this.#random;
    const key = random.pick(TEXTS);
    const field = random.pick(FIELDS);
    switch (random.below(17)) {
      case 0:
      case 1:
        return ['GET', key];
      case 2:
      case 3:
        return ['SET', key, this.#value()];
      case 4:
        return ['SET', key, this.#value(), 'NX'];
      case 5:
        return ['GETSET', key, this.#value()];
      case 6:
        return ['APPEND', key, this.#value()];
      case 7:
        return ['DEL', random.pick([key, key, HASH, QUEUE])];
      case 8:
      case 9:
        return ['INCR', COUNTER];
      case 10:
        return ['HSET', HASH, field, this.#value()];
      case 11:
        return ['HGET', HASH, field];
      case 12:
        return random.chance(0.3) ? ['HDEL', HASH, field] : ['HINCRBY', HASH, FIELD_COUNTER, '2'];
      case 13:
      case 14:
        return ['LPUSH', QUEUE, this.#value()];
      case 15:
        return ['RPOP', QUEUE];
      default:
        return [random.pick(['RPOP', 'LPOP']), QUEUE];
    }
  }

  /** Never the same twice. */
  #value(): string {
    return `v${++this.#valueCount}`;
  }
}

function alone(command: Words): Step {
  return { isTransaction: false, commands: [command] };
}
