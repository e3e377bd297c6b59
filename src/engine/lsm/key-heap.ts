/** A binary heap of places by their keys; of those with the same key the newest comes first. */
export interface KeyPlace {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  /** 0: of the newest run. */
  readonly age: number;
}

export class KeyHeap<Place extends KeyPlace> {
  #places: Place[] = [];
  readonly #sign: number;

  /** @param reverse the highest key comes first. */
  constructor(reverse: boolean) {
    this.#sign = reverse ? -1 : 1;
  }

  get first(): Place | undefined {
    return this.#places[0];
  }

  clear(): void {
    this.#places = [];
  }

  push(place: Place): void {
    const places = this.#places;
    let at = places.push(place) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(place, places[parent]!)) break;
      places[at] = places[parent]!;
      at = parent;
    }
    places[at] = place;
  }

  /** The first has moved on, or is at its end. */
  moved(isAtEnd: boolean): void {
    const places = this.#places;
    let place = places[0]!;
    if (isAtEnd) {
      const last = places.pop()!;
      if (places.length === 0) return;
      place = last;
    }
    const count = places.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#isBefore(places[child + 1]!, places[child]!)) child++;
      if (!this.#isBefore(places[child]!, place)) break;
      places[at] = places[child]!;
      at = child;
    }
    places[at] = place;
  }

  #isBefore(first: Place, second: Place): boolean {
    const difference = comparePlaces(first, second) * this.#sign;
    return difference < 0 || (difference === 0 && first.age < second.age);
  }
}

export function comparePlaces(first: KeyPlace, second: KeyPlace): number {
  const firstBytes = first.bytes;
  const secondBytes = second.bytes;
  const firstLength = first.keyEnd - first.keyStart;
  const secondLength = second.keyEnd - second.keyStart;
  const length = firstLength < secondLength ? firstLength : secondLength;
  for (let index = 0; index < length; index++) {
    const difference = firstBytes[first.keyStart + index]! - secondBytes[second.keyStart + index]!;
    if (difference !== 0) return difference;
  }
  return firstLength - secondLength;
}

/** Compares a place's key with another key. */
export function compareWithKey(place: KeyPlace, key: Uint8Array): number {
  const { bytes, keyStart } = place;
  const placeLength = place.keyEnd - keyStart;
  const length = placeLength < key.length ? placeLength : key.length;
  for (let index = 0; index < length; index++) {
    const difference = bytes[keyStart + index]! - key[index]!;
    if (difference !== 0) return difference;
  }
  return placeLength - key.length;
}
