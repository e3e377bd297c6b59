/** Changes what a message says, where `mutate` changes its bytes: it stays a message of its type. */
import type { SeededRandom } from '../support/random.ts';

/** Where fields have their limits, and what stands next to them. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  -1,
  255,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 52,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
];
const BYTES_MAX = 70_000;

type Fields = Record<string, unknown>;

/**
 * Changes one to three places in the message.
 * @param isNarrow whether a field holds 32 bits.
 */
export function mutateMessage<Message extends object>(
  message: Message,
  isNarrow: (field: string) => boolean,
  random: SeededRandom,
): Message {
  const changed = structuredClone(message);
  for (let count = random.between(1, 3); count > 0; count--) {
    const places = [...placesIn(changed as Fields)];
    if (places.length > 0) change(random.pick(places), isNarrow, random);
  }
  return changed;
}

/** A field that can be changed. */
interface Place {
  readonly owner: Fields;
  readonly field: string;
}

function* placesIn(owner: Fields): Generator<Place> {
  for (const [field, value] of Object.entries(owner)) {
    if (field === 'case' || value === undefined) continue;
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
      yield { owner, field };
    } else {
      if (Array.isArray(value)) yield { owner, field };
      yield* placesIn(value as Fields);
    }
  }
}

function change({ owner, field }: Place, isNarrow: (field: string) => boolean, random: SeededRandom): void {
  const value = owner[field];
  if (typeof value === 'number') {
    const number = random.chance(0.5) ? random.pick(NUMBERS) : value + random.pick([-1, 1]);
    owner[field] = isNarrow(field) ? number >>> 0 : clamp(number);
  } else if (typeof value === 'boolean') {
    owner[field] = !value;
  } else if (value instanceof Uint8Array) {
    owner[field] = mutateBytes(value, random);
  } else if (Array.isArray(value)) {
    owner[field] = mutateList(value, random);
  }
}

function clamp(value: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

function mutateBytes(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return new Uint8Array(0);
    case 1:
      return Buffer.alloc(random.pick([1, 4096, 4097, 65_535, 65_536, BYTES_MAX]), random.below(256));
    case 2:
      return random.bytes(bytes.length);
    default:
      return Buffer.concat([bytes, random.bytes(1)]);
  }
}

function mutateList(list: readonly unknown[], random: SeededRandom): unknown[] {
  const at = random.below(list.length + 1);
  switch (random.below(4)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toReversed();
    case 2:
      return [];
    default:
      // Also into a place of its own: its owner may be changed later without the copy.
      return list.length === 0 ? [] : list.toSpliced(at, 0, structuredClone(random.pick(list)));
  }
}
