/** Commands taken out of pieces, and what is refused. */
import { describe, expect, it } from 'vitest';
import { serverFixed } from '../../../../src/limits.ts';
import { RequestParser } from '../../../../src/server/redis/connection/request-parser.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { SeededRandom } from '../../../support/random.ts';
import { toRequest } from '../support/words.ts';

const WORD_BYTES_MAX = 1000;

class Fed {
  heldBytes = 0;
  readonly parser = new RequestParser({
    wordBytesMax: WORD_BYTES_MAX,
    charge: (bytes) => {
      this.heldBytes += bytes;
      return this.heldBytes < 64 * 1024 * 1024;
    },
  });
  readonly #args = new PlacedArguments();

  /** The commands that are whole now, or the error. */
  feed(piece: string | Uint8Array): string[][] | string {
    const commands: string[][] = [];
    try {
      if (!this.parser.add(Buffer.from(piece as string, 'latin1'))) return 'no room';
      for (let next = this.parser.next(this.#args); next !== undefined; next = this.parser.next(this.#args)) {
        commands.push(
          Array.from({ length: next.count }, (_, index) =>
            Buffer.from(next?.bytes(index) ?? []).toString('latin1'),
          ),
        );
      }
      return this.parser.keep() ? commands : 'no room';
    } catch (error) {
      return (error as Error).message;
    }
  }
}

describe('commands', () => {
  it('come in pieces of any length, one behind the other', () => {
    const random = new SeededRandom(3);
    for (let round = 0; round < 200; round++) {
      const commands = Array.from({ length: random.between(1, 6) }, () =>
        Array.from({ length: random.between(1, 5) }, () =>
          Buffer.from(random.bytes(random.below(40))).toString('latin1'),
        ),
      );
      const bytes = Buffer.concat(
        commands.map((words) => toRequest(words.map((word) => Buffer.from(word, 'latin1')))),
      );
      const fed = new Fed();
      const seen: string[][] = [];
      for (let at = 0; at < bytes.length;) {
        const length = random.between(1, 30);
        const found = fed.feed(bytes.subarray(at, at + length));
        expect(typeof found).toBe('object');
        seen.push(...(found as string[][]));
        at += length;
      }
      expect(seen).toEqual(commands);
      expect(fed.heldBytes).toBe(0);
    }
  });

  it('come as lines with words in quotes', () => {
    const fed = new Fed();
    expect(fed.feed('\r\nPING\r\nSET a "b c\\x41\\n" \'d\\\'e\' ""\n')).toEqual([
      ['PING'],
      ['SET', 'a', 'b cA\n', "d'e", ''],
    ]);
    expect(fed.feed('GET ')).toEqual([]);
    expect(fed.feed('a\r\n*1\r\n$4\r\nPING\r\n')).toEqual([['GET', 'a'], ['PING']]);
  });

  it('without words are passed over', () => {
    expect(new Fed().feed('*0\r\n*-1\r\n\r\n*1\r\n$1\r\na\r\n')).toEqual([['a']]);
  });

  it('come again when asked for', () => {
    const fed = new Fed();
    const args = new PlacedArguments();
    const { parser } = fed;
    parser.add(Buffer.from('PING\r\n*2\r\n$1\r\na\r\n$2\r\nbc\r\n'));
    parser.next(args);
    for (let round = 0; round < 3; round++) {
      expect(parser.next(args)?.text(1)).toBe('bc');
      parser.rewind();
      parser.keep();
    }
    expect(parser.next(args)?.count).toBe(2);
    expect(parser.next(args)).toBeUndefined();
  });
});

describe('what is refused', () => {
  const cases: [string, string, string][] = [
    ['a length that is no number', '*x\r\n', 'invalid multibulk length'],
    ['too many words', `*${serverFixed.redisWordsMax + 1}\r\n`, 'invalid multibulk length'],
    ['a number of 64 bits', '*99999999999999999999\r\n', 'invalid multibulk length'],
    ['a word without a length', '*1\r\nPING\r\n', "expected '$', got 'P'"],
    ['a word of 2 GiB', '*1\r\n$2147483648\r\n', 'invalid bulk length'],
    ['a word of negative length', '*1\r\n$-1\r\n', 'invalid bulk length'],
    ['a count without an end', `*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    ['a length without an end', `*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
    ['a line without an end', 'x'.repeat(70_000), 'too big inline request'],
    ['a quote that is not closed', 'GET "a\r\n', 'unbalanced quotes in request'],
    ['a quote that is closed in a word', 'GET "a"b\r\n', 'unbalanced quotes in request'],
  ];
  it.each(cases)('%s', (_, input, text) => {
    expect(new Fed().feed(input)).toBe(`ERR Protocol error: ${text}`);
    // Byte by byte it comes to the same.
    const fed = new Fed();
    let last: string[][] | string = [];
    for (let at = 0; at < input.length && typeof last === 'object'; at += 4096)
      last = fed.feed(input.slice(at, at + 4096));
    expect(last).toBe(`ERR Protocol error: ${text}`);
  });

  it('more than a stranger may send', () => {
    const fed = new Fed();
    fed.parser.isStranger = true;
    expect(fed.feed('*11\r\n')).toBe('ERR Protocol error: unauthenticated multibulk length');
  });

  it('takes no memory for a length alone', () => {
    const fed = new Fed();
    expect(fed.feed(`*1000000\r\n$${WORD_BYTES_MAX}\r\nabc`)).toEqual([]);
    expect(fed.heldBytes).toBeLessThan(5000);
  });
});
