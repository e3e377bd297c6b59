/** How many connections an address may have. */
import { describe, expect, test } from 'vitest';
import { cluster } from '../../../src/limits.ts';
import { AddressLimit, networkOf } from '../../../src/server/limits/address-limit.ts';

describe('the connections of an address', () => {
  test('are so many, and one more once one of them is closed', () => {
    const limit = new AddressLimit(2);
    const first = limit.open('192.0.2.1');
    expect(limit.open('::ffff:192.0.2.1')).toBeDefined();
    expect(limit.open('192.0.2.1')).toBeUndefined();
    expect(limit.open('192.0.2.2')).toBeDefined();
    first?.();
    expect(limit.open('192.0.2.1')).toBeDefined();
    expect(limit.open('192.0.2.1')).toBeUndefined();
    expect(limit.refusedCount).toBe(2);
  });

  test('are those of a /64 together', () => {
    const limit = new AddressLimit(1);
    expect(limit.open('2001:db8:1:2::1')).toBeDefined();
    expect(limit.open('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBeUndefined();
    expect(limit.open('2001:db8:1:3::1')).toBeDefined();
  });

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', undefined])(
    'of this machine (%s) are not counted',
    (address) => {
      const limit = new AddressLimit(1);
      expect([limit.open(address), limit.open(address)]).not.toContain(undefined);
    },
  );

  test('are any number of one that was a node of the cluster of late', () => {
    let nowMs = 0;
    const limit = new AddressLimit(1, false, { monotonicMs: () => nowMs });
    limit.nodeAt('192.0.2.1');
    expect([limit.open('192.0.2.1'), limit.open('::ffff:192.0.2.1')]).not.toContain(undefined);
    expect([limit.open('192.0.2.2'), limit.open('192.0.2.2')]).toContain(undefined);
    nowMs = cluster.reportSilenceMs;
    expect([limit.open('192.0.2.1'), limit.open('192.0.2.1')]).toContain(undefined);
  });

  test('of nodes are those of a cluster, not of whatever has said so', () => {
    const limit = new AddressLimit(1);
    for (let host = 0; host < 200; host++) limit.nodeAt(`192.0.2.${host}`);
    expect([limit.open('192.0.2.1'), limit.open('192.0.2.1')]).toContain(undefined);
    expect([limit.open('192.0.2.199'), limit.open('192.0.2.199')]).not.toContain(undefined);
  });

  test('are any number when there is no limit', () => {
    const limit = new AddressLimit(0);
    expect([limit.open('192.0.2.1'), limit.open('192.0.2.1')]).not.toContain(undefined);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:DB8:0:0:1:2:3:4', '2001:db8:0:0'],
  ['2001:0db8:0001::', '2001:db8:1:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::', '0:0:0:0'],
  ['::2', '0:0:0:0'],
  ['1::2:3:4:5:6:7', '1:0:2:3'],
  ['::1', '::1'],
])('%s is of the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
