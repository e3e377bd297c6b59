/** What keys make of a secret. */
import { expect, test } from 'vitest';
import { TypedSecret } from '../../../src/cli/terminal/typed-secret.ts';

/** @param pieces what comes at once each. */
function typed(...pieces: (string | Uint8Array)[]) {
  const secret = new TypedSecret(16);
  const progress = pieces.map((keys) => secret.take(Buffer.from(keys)));
  return {
    text: secret.bytes.toString('utf8'),
    endings: progress.map(({ ending }) => ending),
    rang: progress.some(({ rings }) => rings),
    isSuspended: progress.some((each) => each.isSuspended),
    rest: Buffer.from(progress.at(-1)?.rest ?? []).toString('utf8'),
  };
}

test('Enter ends it, and what follows is left', () => {
  expect(typed('secret\rGET a\r')).toMatchObject({ text: 'secret', endings: ['entered'], rest: 'GET a\r' });
  expect(typed('se', 'cret', '\n')).toMatchObject({
    text: 'secret',
    endings: [undefined, undefined, 'entered'],
    rest: '',
  });
  expect(typed('secret\r\nmore')).toMatchObject({ endings: ['entered'], rest: 'more' });
});

test('Backspace takes back a character, of however many bytes, and Ctrl-U all', () => {
  expect(typed('abc\u007f\b\r').text).toBe('a');
  expect(typed('a\u00e4\u20ac\u{1f511}\u007f\u007f\u007f\r').text).toBe('a');
  expect(typed('wrong\u0015right\r').text).toBe('right');
  expect(typed('\u007fa\r')).toMatchObject({ text: 'a', rang: true });
});

test('a character that comes in pieces is one', () => {
  const [first = 0, ...rest] = Buffer.from('\u20ac');
  expect(typed(Uint8Array.of(first), Uint8Array.from(rest), '\r').text).toBe('\u20ac');
});

test('keys that type nothing ring and leave nothing behind', () => {
  for (const key of ['\u001b[D', '\u001b[3~', '\u001bOP', '\u001bf', '\u0001', '\t']) {
    expect(typed(`a${key}b\r`), JSON.stringify(key)).toMatchObject({ text: 'ab', rang: true });
  }
  expect(typed('a\u001b', '[', '1;5D', 'b\r').text).toBe('ab');
  expect(typed('\u001b[200~pasted\u001b[201~\r').text).toBe('pasted');
});

test('Ctrl-C, Ctrl-\\ and Ctrl-D give up; behind something Ctrl-D is Enter', () => {
  expect(typed('abc\u0003').endings).toEqual(['interrupted']);
  expect(typed('abc\u001c').endings).toEqual(['interrupted']);
  expect(typed('\u0004').endings).toEqual(['left']);
  expect(typed('abc\u0004')).toMatchObject({ text: 'abc', endings: ['entered'] });
});

test('Ctrl-Z is told, and what was typed is forgotten: the question comes anew', () => {
  expect(typed('ab\u001a', 'c\r')).toMatchObject({ text: 'c', isSuspended: true });
});

test('a longer one than there may be is kept as far as shows that', () => {
  const { text, rang } = typed('x'.repeat(1000), '\r');
  expect(text).toHaveLength(17);
  expect(rang).toBe(true);
});
