import { expect, test } from 'vitest';
import { parseAddress } from '../../../src/client/connection/address.ts';

test.each([
  ['127.0.0.1:7379', false, 'http://127.0.0.1:7379'],
  ['kelp.example', false, 'http://kelp.example:7379'],
  ['kelp.example', true, 'https://kelp.example:7379'],
  ['kelp.example:80', false, 'http://kelp.example'],
  ['https://kelp.example', false, 'https://kelp.example:7379'],
  ['https://kelp.example:443', false, 'https://kelp.example'],
  ['http://kelp.example:80/', false, 'http://kelp.example'],
  ['[::1]:9000', false, 'http://[::1]:9000'],
  ['[::1]', false, 'http://[::1]:7379'],
  ['localhost:7379', true, 'https://localhost:7379'],
  [':21000', false, 'http://127.0.0.1:21000'],
  [':21000', true, 'https://127.0.0.1:21000'],
  [':80', false, 'http://127.0.0.1'],
  ['http://:21000', false, 'http://127.0.0.1:21000'],
  ['https://:443/', true, 'https://127.0.0.1'],
])('address %s with TLS %s is %s', (address, isTls, url) => {
  expect(parseAddress(address, isTls).text).toBe(url);
});

test('an address tells where to connect, and by what name requests call the server', () => {
  expect(parseAddress('[::1]:9000', false)).toMatchObject({
    isTls: false,
    authority: '[::1]:9000',
    target: { host: '::1', port: 9000 },
  });
  expect(parseAddress('https://kelp.example:443', false)).toMatchObject({
    isTls: true,
    authority: 'kelp.example',
    target: { host: 'kelp.example', port: 443 },
  });
  expect(parseAddress(':80', false)).toMatchObject({ target: { host: '127.0.0.1', port: 80 } });
});

test.each([
  ['unix:/run/kelp.sock', '/run/kelp.sock'],
  ['unix:///run/kelp.sock', '/run/kelp.sock'],
  ['unix:kelp.sock', 'kelp.sock'],
])('address %s is the socket %s of this machine', (address, path) => {
  expect(parseAddress(address, false)).toEqual({
    text: `unix:${path}`,
    isTls: false,
    isLocal: true,
    authority: 'localhost',
    target: { path },
  });
});

test.each([
  ['unix:', false, /has no path/],
  ['unix:/run/kelp.sock', true, /TLS/],
  [`unix:/${'a'.repeat(107)}`, false, /more than 10\d bytes/],
  ['unix:/run/\0kelp', false, /zero byte/],
  ['', false, /can not be read/],
  [':', false, /can not be read/],
  [':99999', false, /can not be read/],
  [':port', false, /can not be read/],
  ['a b', false, /can not be read/],
  ['kelp.example:99999', false, /can not be read/],
  ['ftp://kelp.example', false, /scheme/],
  ['http://kelp.example', true, /TLS/],
  ['user:secret@kelp.example', false, /user or password/],
  ['kelp.example:7379/path', false, /path/],
])('address "%s" with TLS %s is refused', (address, isTls, message) => {
  expect(() => parseAddress(address, isTls)).toThrow(message);
});
