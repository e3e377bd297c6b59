import { assert, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearestName } from '../../../src/arguments/nearest-name.ts';
import {
  OptionError,
  formatAddress,
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
  parseInteger,
  parseListenAddress,
  urlOf,
} from '../../../src/server/config/option-values.ts';

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['12B', 12],
    ['64KiB', 65_536],
    ['16 MiB', 16_777_216],
    ['1.5GiB', 1_610_612_736],
  ])('%s is read', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(['', 'MiB', '-1', '1kb', '1MB', '1.3B', '1e3', '99999999GiB', '0x10', '1 MiB 2'])(
    '%j is refused',
    (text) => {
      expect(() => parseBytes(text)).toThrow(OptionError);
    },
  );

  test('what is written is read again', () => {
    assert(property(nat(), (bytes) => parseBytes(formatBytes(bytes)) === bytes));
    expect([formatBytes(16 * 1024 ** 2), formatBytes(1025), formatBytes(0)]).toEqual(['16MiB', '1025', '0']);
  });
});

describe('times', () => {
  test.each([
    ['0ms', 0],
    ['100ms', 100],
    ['1.5s', 1500],
    ['5 m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.005s', 1005],
    ['1h30m', 5_400_000],
    ['2m30s', 150_000],
    ['1d12h', 129_600_000],
    ['1.5h', 5_400_000],
    ['1d 4h', 100_800_000],
    ['1m1ms', 60_001],
    ['1h1.5m', 3_690_000],
    ['1d2h3m4s5ms', 93_784_005],
  ])('%s is read', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(['', '10', 's', '-1s', '1w', '1H', '1h30', '30 1h', '1h-30m', '1h  30m', ' 1h', '1e3s'])(
    '%j is refused: it is no time',
    (text) => {
      expect(() => parseDurationMs(text)).toThrow(/^expected a time with its unit, such as .*, not ".*"$/);
    },
  );

  test.each([
    ['30m1h', /larger unit first and each unit once, such as 1h30m, not "30m1h"$/],
    ['1h1h', /larger unit first and each unit once/],
    ['1s500ms2s', /larger unit first and each unit once/],
    ['1.5h30m', /last number alone has a fraction/],
    ['1.0001ms', /whole milliseconds/],
    ['9999999999999d', /"9999999999999d" is too long/],
  ])('%j is refused by what is wrong with it', (text, message) => {
    expect(() => parseDurationMs(text)).toThrow(OptionError);
    expect(() => parseDurationMs(text)).toThrow(message);
  });

  test('what is written is read again', () => {
    assert(property(nat(), (ms) => parseDurationMs(formatDurationMs(ms)) === ms));
    expect([formatDurationMs(3_600_000), formatDurationMs(90_000), formatDurationMs(0)]).toEqual([
      '1h',
      '90s',
      '0ms',
    ]);
  });
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1:7379', { host: '127.0.0.1', port: 7379 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    [':7379', { host: '', port: 7379 }],
    ['unix:/run/kelp.sock', { path: '/run/kelp.sock' }],
  ])('%s is read and written', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  test.each([
    '',
    '7379',
    'localhost',
    'localhost:',
    'a:65536',
    '::1:80',
    'http://a:80',
    'a b:80',
    'unix:',
    `unix:/${'a'.repeat(107)}`,
    '[a]:80:90',
  ])('%j is refused', (text) => {
    expect(() => parseListenAddress(text)).toThrow(OptionError);
  });
});

test.each([
  ['127.0.0.1:7379', false, 'http://127.0.0.1:7379'],
  ['[::1]:7379', true, 'https://[::1]:7379'],
  ['0.0.0.0:7379', false, 'http://here:7379'],
  ['[::]:7379', true, 'https://here:7379'],
  [':7379', false, 'http://here:7379'],
  ['unix:/run/kelp.sock', true, 'unix:/run/kelp.sock'],
])('clients reach what listens on %s, with TLS %j, by %s', (text, hasTls, url) => {
  expect(urlOf(parseListenAddress(text), { hasTls, hostName: 'here' })).toBe(url);
});

test('whole numbers are read, and nothing else', () => {
  expect(parseInteger('0')).toBe(0);
  expect(parseInteger('10000')).toBe(10_000);
  for (const text of ['', '-1', '1.5', '1k', '9007199254740993', ' 1']) {
    expect(() => parseInteger(text), text).toThrow(OptionError);
  }
});

test('the nearest name is a guess only when it is near', () => {
  const names = ['data-dir', 'listen', 'fsync', 'fsync-interval'];

  expect(nearestName('datadir', names)).toBe('data-dir');
  expect(nearestName('listne', names)).toBe('listen');
  expect(nearestName('fsync-intreval', names)).toBe('fsync-interval');
  expect(nearestName('colour', names)).toBeUndefined();
});
