/** Which requests a web page may have sent by accident, one by one. */
import { describe, expect, test } from 'vitest';
import { isLoopbackAddress } from '../../../src/server/config/loopback-address.ts';
import { type GuardedConnection, WebGuard } from '../../../src/server/web/web-guard.ts';

const loopback: GuardedConnection = { localAddress: '127.0.0.1', isTls: false };
const loopbackTls: GuardedConnection = { localAddress: '::1', isTls: true };
const network: GuardedConnection = { localAddress: '10.0.0.5', isTls: false };
const networkTls: GuardedConnection = { localAddress: '10.0.0.5', isTls: true };
const file: GuardedConnection = { localAddress: '', isTls: false };

const guard = new WebGuard({
  corsOrigins: ['https://app.example.com', 'http://dev.example:3000', 'http://[2001:db8::1]:8080'],
  ownHosts: ['kelp-1', '', 'fd00::1'],
});

function isRefused(authority: string, origin: string | undefined, connection: GuardedConnection): boolean {
  return guard.refusalOf({ authority, origin, connection }) !== undefined;
}

describe('without an origin, at a loopback address, the host', () => {
  test.each([
    'localhost',
    'localhost:7379',
    'LocalHost:7379',
    'localhost.',
    'localhost.:7379',
    'kelp.localhost:7379',
    '127.0.0.1',
    '127.0.0.1:7379',
    '127.8.9.10:1',
    '[::1]',
    '[::1]:7379',
    '[0:0:0:0:0:0:0:1]:7379',
    '[::ffff:127.0.0.1]:7379',
    // The machine's own name, and hosts of allowed origins on any port.
    'kelp-1',
    'KELP-1.:7379',
    '[fd00:0::1]:7379',
    'app.example.com',
    'app.example.com:7379',
    'dev.example',
    '[2001:db8:0::1]:7379',
    // HTTP/1.0, or HTTP/2 without an authority.
    '',
  ])('%j is its own', (authority) => {
    for (const connection of [loopback, loopbackTls]) {
      expect(isRefused(authority, undefined, connection)).toBe(false);
    }
  });

  test.each([
    'evil.example',
    'evil.example:7379',
    'localhost.evil.example',
    'notlocalhost',
    'evil-localhost:7379',
    '127.0.0.1.evil.example',
    '128.0.0.1',
    '10.0.0.5:7379',
    '[::2]:7379',
    '[fe80::1]',
    'example.com',
    'sub.app.example.com',
    'kelp-1.evil.example',
    'user@localhost',
    'localhost/evil',
    'localhost,evil.example',
    'localhost:port',
    'a b:c',
    '.',
    ':7379',
    '[::1',
  ])('%j is foreign', (authority) => {
    for (const connection of [loopback, loopbackTls]) {
      expect(isRefused(authority, undefined, connection)).toBe(true);
    }
    for (const connection of [network, networkTls, file]) {
      expect(isRefused(authority, undefined, connection)).toBe(false);
    }
  });

  test('that passed before lets no other pass, and none that was refused', () => {
    expect(isRefused('localhost', undefined, loopback)).toBe(false);
    expect(isRefused('evil.example', undefined, loopback)).toBe(true);
    expect(isRefused('localhost', undefined, loopback)).toBe(false);
    expect(isRefused('evil.example', undefined, loopback)).toBe(true);
    expect(isRefused('', undefined, loopback)).toBe(false);
  });
});

describe('an origin', () => {
  test.each([
    // Its own: the host that was asked, with the same port.
    ['http://localhost:7379', 'localhost:7379', loopback],
    ['http://localhost', 'localhost', loopback],
    ['http://localhost', 'localhost:80', loopback],
    ['http://localhost:80', 'localhost', loopback],
    ['HTTP://LOCALHOST:7379', 'localhost:7379', loopback],
    ['http://localhost.:7379', 'localhost:7379', loopback],
    ['http://[::1]:7379', '[::1]:7379', loopback],
    ['https://localhost:7379', 'localhost:7379', loopbackTls],
    ['http://kv.internal:7379', 'kv.internal:7379', network],
    // TLS that a proxy has ended.
    ['https://kv.example.com', 'kv.example.com', network],
    ['https://kv.example.com', 'kv.example.com:443', network],
    ['https://kv.example.com:8443', 'kv.example.com:8443', file],
    // Allowed.
    ['https://app.example.com', 'localhost:7379', loopback],
    ['https://app.example.com:443', '127.0.0.1:7379', loopback],
    ['HTTPS://App.Example.com', 'localhost:7379', loopbackTls],
    ['http://dev.example:3000', '', network],
    ['http://[2001:db8:0:0::1]:8080', '10.0.0.5:7379', network],
  ])('%s may call %s', (origin, authority, connection) => {
    expect(isRefused(authority, origin, connection)).toBe(false);
  });

  test.each([
    ['https://evil.example', 'localhost:7379', loopback],
    ['null', 'localhost:7379', loopback],
    ['', 'localhost:7379', loopback],
    // The same machine, another page.
    ['http://localhost:3000', 'localhost:7379', loopback],
    ['http://127.0.0.1:7379', 'localhost:7379', loopback],
    ['http://localhost', 'localhost:7379', loopback],
    ['http://localhost', 'localhost:443', loopback],
    ['https://localhost', 'localhost:80', loopback],
    ['http://sub.localhost:7379', 'localhost:7379', loopback],
    // What anybody on the way may have put into the page.
    ['http://localhost:7379', 'localhost:7379', loopbackTls],
    ['http://kv.example.com', 'kv.example.com', networkTls],
    // Its name leads here.
    ['http://evil.example:7379', 'evil.example:7379', loopback],
    // Several, of which one is allowed.
    ['https://app.example.com, https://evil.example', 'localhost:7379', loopback],
    ['https://app.example.com, https://app.example.com', 'localhost:7379', loopback],
    ['https://app.example.com https://evil.example', 'localhost:7379', loopback],
    ['http://localhost:7379, http://localhost:7379', 'localhost:7379', loopback],
    // Nearly allowed.
    ['http://app.example.com', 'localhost:7379', loopback],
    ['https://app.example.com:8443', 'localhost:7379', loopback],
    ['https://app.example.com.', 'localhost:7379', loopback],
    ['https://app.example.com/', 'localhost:7379', loopback],
    ['https://app.example.com@evil.example', 'localhost:7379', loopback],
    ['https://evil.app.example.com', 'localhost:7379', loopback],
    ['app.example.com', 'localhost:7379', loopback],
    ['file://', 'localhost:7379', loopback],
    ['chrome-extension://abcdef', 'localhost:7379', loopback],
    // Without a host nothing is its own.
    ['http://localhost', '', loopback],
    ['http://kv.internal:7379', 'kv.internal:7380', network],
    ['http://evil.example', 'kv.internal', file],
  ])('%s may not call %s', (origin, authority, connection) => {
    expect(isRefused(authority, origin, connection)).toBe(true);
  });
});

test('who allows every origin has no rule left', () => {
  const open = new WebGuard({ corsOrigins: ['*'], ownHosts: [] });
  for (const origin of [undefined, 'null', 'https://evil.example', 'a, b']) {
    expect(open.refusalOf({ authority: 'evil.example', origin, connection: loopback })).toBeUndefined();
  }
});

test('a refusal says what to do, and repeats no more than it must', () => {
  const ask = (authority: string, origin?: string): string =>
    guard.refusalOf({ authority, origin, connection: loopback }) ?? '';
  expect(ask('localhost', 'http://Shop.example:80')).toContain('--cors-origin http://shop.example');
  expect(ask('localhost', 'null')).toContain('serve them from an origin of their own');
  expect(ask('kv.example.com:7379')).toContain('--cors-origin https://kv.example.com');
  expect(ask('a"\u0000b')).not.toContain('--cors-origin');
  expect(ask('localhost', `https://${'a'.repeat(5000)}`).length).toBeLessThan(1000);
  expect(ask('a'.repeat(5000)).length).toBeLessThan(1000);
});

test.each([
  ['127.0.0.1', true],
  ['127.255.0.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:10.0.0.1', false],
  ['10.0.0.1', false],
  ['::', false],
  ['', false],
])('the address %j is a loopback address: %s', (address, isLoopback) => {
  expect(isLoopbackAddress(address)).toBe(isLoopback);
});
