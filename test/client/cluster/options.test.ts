/** What `createClient` takes as the addresses of several servers, also from programs without types. */
import { describe, expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { client as limits } from '../../../src/limits.ts';

const create: (options: object) => KelpClient = createClient;
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `a${index}`);
const transport = { unary: () => undefined, stream: () => undefined };

describe('createClient refuses', () => {
  test.each<[object, string]>([
    [{ address: 'a', addresses: ['b'] }, 'createClient takes address or addresses, not both'],
    [
      { address: undefined, addresses: undefined },
      'createClient needs address, or addresses where several servers have the store',
    ],
    [{ addresses: [] }, 'addresses has 0 addresses; it must have 1 to 16'],
    [{ addresses: many(17) }, 'addresses has 17 addresses; it must have 1 to 16'],
    [{ addresses: 'a,b' }, 'addresses is the text "a,b"; it must be an array of addresses'],
    [{ addresses: ['a', 5] }, 'addresses[1] is the number 5; it must be text'],
    [{ addresses: Array(2) }, 'addresses[0] is missing; it must be text'],
    [{ addresses: ['a', 'ftp://b'] }, 'address is "ftp://b", but its scheme is unknown'],
    [{ addresses: ['a', 'b', 'a:7379'] }, 'addresses: http://a:7379 is there twice'],
    [
      { addresses: ['https://a', 'b'] },
      'addresses: https://a:7379 is with TLS and http://b:7379 without; they must be alike',
    ],
    [
      { addresses: ['unix:/run/kelp.sock', 'https://b'] },
      'addresses: https://b:7379 is with TLS and unix:/run/kelp.sock without; they must be alike',
    ],
    [{ addresses: ['a', 'http://b'], tls: true }, 'TLS is asked for, but http:// is without'],
    [{ addresses: ['a', 'b'], transport }, 'createClient takes transport with address, not with addresses'],
    [{ transport }, 'createClient needs address'],
    [
      { addresses: ['localhost', 'b'], credentials: { token: 't' } },
      'credentials would go to http://b:7379 in plain text',
    ],
  ])('%j', (options, message) => {
    expect(() => create(options)).toThrow(message);
    expect(() => create(options)).toThrow(expect.objectContaining({ code: 'invalidArgument' }) as Error);
  });
});

test.each<object>([
  { addresses: ['a'] },
  { addresses: many(limits.addressesMax) },
  { addresses: ['a', 'b'], tls: true },
  { addresses: ['a', 'https://b'], tls: true },
  { addresses: ['localhost:1', '127.0.0.1:2', 'unix:/run/kelp.sock'], credentials: { token: 't' } },
  { addresses: ['a', 'b'], credentials: { token: 't' }, allowPlaintextCredentials: true },
  { address: 'a', addresses: undefined },
])('it takes %j', (options) => {
  create(options).close();
});
