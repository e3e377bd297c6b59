/** The text in which a node tells where it is reached. */
import { expect, test } from 'vitest';
import { formatNodeAddress, parseNodeAddress } from '../../src/cluster/node-address.ts';

const pairs = [
  ['', { http: '', redis: '' }],
  ['10.0.0.1:2380', { http: '10.0.0.1:2380', redis: '' }],
  ['[::1]:2380,redis=[::1]:6379', { http: '[::1]:2380', redis: '[::1]:6379' }],
] as const;

test.each(pairs)('%j is written and read as such', (text, address) => {
  expect(formatNodeAddress(address)).toBe(text);
  expect(parseNodeAddress(text)).toEqual(address);
});

test('parts that a later version may tell are passed over', () => {
  expect(parseNodeAddress('a:1,zone=b,redis=a:2,x')).toEqual({ http: 'a:1', redis: 'a:2' });
});
