import { expect, test } from 'vitest';
import { parseLogAddress } from '../../src/etcd-log/log-address.ts';

test.each([
  ['etcd://10.0.0.1:2379/kelp/main', ['http://10.0.0.1:2379'], 'kelp/main'],
  [
    'etcd://a,b:99,[::1],[::1]:7/x',
    ['http://a:2379', 'http://b:99', 'http://[::1]:2379', 'http://[::1]:7'],
    'x',
  ],
  ['etcds://a.example,b.example:443/k_1/m-2', ['https://a.example:2379', 'https://b.example:443'], 'k_1/m-2'],
])('an address tells members and prefix: %s', (text, members, prefix) => {
  const address = parseLogAddress(text);
  expect(address.prefix).toBe(prefix);
  expect(address.addresses.map((member) => member.text.replace(/^(https:[^:]+)$/, '$1:443'))).toEqual(
    members,
  );
});

test.each([
  '',
  'etcd://',
  'etcd:///kelp',
  'etcd://a:2379',
  'etcd://a:2379/',
  'etcd://a:2379/kelp/',
  'etcd://a:2379//kelp',
  'etcd://a:2379/kelp main',
  `etcd://a:2379/${'x'.repeat(600)}`,
  'etcd://a,,b/kelp',
  'etcd://user:secret@a/kelp',
  'etcd://a:99999/kelp',
  'http://a:2379/kelp',
  'nats://a:2379/kelp',
])('one that can not be meant so is refused: %s', (text) => {
  expect(() => parseLogAddress(text)).toThrow(/but .*; give it like etcd:\/\//);
});
