import { describe, expect, test } from 'vitest';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { HeadFault, toRequestHead, toResponseHead, toTrailers } from '../../../src/http2/heads/head.ts';
import { HeaderField } from '../../../src/http2/hpack/tables.ts';

const method: Field = [':method', 'POST'];
const scheme: Field = [':scheme', 'http'];
const path: Field = [':path', '/a?b'];
const authority: Field = [':authority', 'kelp:4000'];
const pseudo: readonly Field[] = [method, scheme, path, authority];
const status: Field = [':status', '200'];

function headerFields(fields: readonly Field[]): HeaderField[] {
  return fields.map(([name, value]) => new HeaderField(name, value));
}

const request = (...fields: Field[]): ReturnType<typeof toRequestHead> => toRequestHead(headerFields(fields));
const response = (...fields: Field[]): ReturnType<typeof toResponseHead> =>
  toResponseHead(headerFields(fields));
const trailers = (...fields: Field[]): ReturnType<typeof toTrailers> => toTrailers(headerFields(fields));

function without(...names: string[]): Field[] {
  return pseudo.filter(([name]) => !names.includes(name));
}

function expectMalformed(result: unknown, text: RegExp): void {
  expect(result).toBeInstanceOf(HeadFault);
  expect(result).toMatchObject({ kind: 'malformed', text: expect.stringMatching(text) });
}

describe('the head of a request', () => {
  test('pseudo-headers and fields, in their order', () => {
    expect(request(...pseudo, ['b', '1'], ['a', '2'], ['b', '3'])).toEqual({
      method: 'POST',
      scheme: 'http',
      path: '/a?b',
      authority: 'kelp:4000',
      contentLength: undefined,
      fields: [
        ['b', '1'],
        ['a', '2'],
        ['b', '3'],
      ],
      memo: undefined,
    });
  });

  test('pseudo-headers may come in any order', () => {
    expect(request(...pseudo.toReversed())).toMatchObject({ method: 'POST', path: '/a?b' });
  });

  test('it needs no authority', () => {
    expect(request(...without(':authority'))).toMatchObject({ authority: '' });
  });

  test.each([
    ['method', ':method', /:method/],
    ['scheme', ':scheme', /:scheme/],
    ['path', ':path', /:path/],
  ])('without its %s it is malformed', (_name, missing, text) => {
    expectMalformed(request(...without(missing)), text);
  });

  test('no fields at all are malformed', () => {
    expectMalformed(request(), /:method/);
  });

  test.each(pseudo)('a second %s is malformed, also with the same value', (name, value) => {
    expectMalformed(request(...pseudo, [name, value]), /twice/);
    expectMalformed(request([name, value], ...pseudo), /twice/);
  });

  test.each(pseudo)('%s after a field is malformed', (name, value) => {
    expectMalformed(request(...without(name), ['a', 'b'], [name, value]), /after another field/);
  });

  test.each([':protocol', ':status2', ':', ':Method', ':unknown'])(
    'the pseudo-header %s is malformed',
    (name) => {
      expectMalformed(request(...pseudo, [name, 'x']), /no such pseudo-header/);
    },
  );

  test(':status in it is malformed', () => {
    expectMalformed(request(...pseudo, status), /:status in a request/);
  });

  test.each(['', 'GE T', 'GET\x7f', 'G(ET'])('the method %j is malformed', (value) => {
    expectMalformed(request(...without(':method'), [':method', value]), /:method|control/);
  });

  test.each(['', '1http', 'ht tp', 'http:'])('the scheme %j is malformed', (value) => {
    expectMalformed(request(...without(':scheme'), [':scheme', value]), /:scheme/);
  });

  test.each(['', 'a', '*', 'http://kelp/a', '/a b', '/a#b', '/a\tb'])('the path %j is malformed', (value) => {
    expectMalformed(request(...without(':path'), [':path', value]), /:path/);
  });

  test('* is a path of OPTIONS', () => {
    const options: Field[] = [[':method', 'OPTIONS'], scheme, [':path', '*']];
    expect(request(...options)).toMatchObject({ path: '*' });
  });

  test('other schemes have paths of their own, but none that is empty', () => {
    const urn = (value: string): Field[] => [method, [':scheme', 'urn'], [':path', value]];
    expect(request(...urn('a:b'))).toMatchObject({ path: 'a:b' });
    expectMalformed(request(...urn('')), /:path/);
  });

  test.each(['user@kelp', 'kelp/a', 'kelp?a', 'ke lp'])('the authority %j is malformed', (value) => {
    expectMalformed(request(...without(':authority'), [':authority', value]), /:authority/);
    expectMalformed(request(...without(':authority'), ['host', value]), /:authority/);
  });

  test.each([
    ['http://127.0.0.1:4000', '127.0.0.1:4000'],
    ['https://[::1]:4000', '[::1]:4000'],
    ['http.kelp:4000', 'http.kelp:4000'],
  ])('of the authority %j, as clients in Go dial it, %j is left', (value, left) => {
    expect(request(...without(':authority'), [':authority', value])).toMatchObject({ authority: left });
  });

  test.each(['http://', 'http://kelp/', 'http://user@kelp', 'ftp://kelp', 'http://http://kelp', '//kelp'])(
    'the authority %j is no address that was dialed, and malformed',
    (value) => {
      expectMalformed(request(...without(':authority'), [':authority', value]), /:authority/);
    },
  );

  test('a host is never a URL', () => {
    expectMalformed(request(...without(':authority'), ['host', 'http://kelp']), /:authority/);
  });

  describe('host', () => {
    test('it stands for :authority when there is none', () => {
      expect(request(...without(':authority'), ['host', 'kelp'])).toMatchObject({ authority: 'kelp' });
    });

    test('it may say the same, whatever the case', () => {
      expect(request(...pseudo, ['host', 'KELP:4000'])).toMatchObject({ authority: 'kelp:4000' });
    });

    test.each(['kelp', 'other:4000', ''])('%j beside another :authority is malformed', (value) => {
      expectMalformed(request(...pseudo, ['host', value]), /differs/);
    });

    test('it may not come twice', () => {
      expectMalformed(request(...pseudo, ['host', 'kelp:4000'], ['host', 'kelp:4000']), /twice/);
    });
  });

  describe('CONNECT', () => {
    const connect: Field = [':method', 'CONNECT'];

    test('it has an authority, and neither scheme nor path', () => {
      expect(request(connect, authority)).toMatchObject({
        method: 'CONNECT',
        authority: 'kelp:4000',
        scheme: '',
        path: '',
      });
    });

    test.each([
      ['without an authority', []],
      ['with an empty authority', [[':authority', '']]],
      ['with a scheme', [authority, scheme]],
      ['with a path', [authority, path]],
      ['with both', [authority, scheme, path]],
    ] as [string, Field[]][])('%s it is malformed', (_what, fields) => {
      expectMalformed(request(connect, ...fields), /CONNECT/);
    });

    test('a host does not stand for its authority', () => {
      expectMalformed(request(connect, ['host', 'kelp']), /CONNECT/);
    });
  });
});

describe('the head of a response', () => {
  test('status and fields', () => {
    expect(response(status, ['a', 'b'], ['content-length', '7'])).toEqual({
      status: 200,
      contentLength: 7,
      fields: [
        ['a', 'b'],
        ['content-length', '7'],
      ],
      memo: undefined,
    });
  });

  test.each(['100', '103', '199', '418', '599'])('%s is a status', (value) => {
    expect(response([':status', value])).toMatchObject({ status: Number(value) });
  });

  test.each(['', '20', '2000', '0200', '099', '2xx', '-20', '+20', '20 ', '１２３', '101'])(
    '%j is none',
    (value) => {
      expectMalformed(response([':status', value]), /:status|white space|control/);
    },
  );

  test('without a status, with two, or with a late one it is malformed', () => {
    expectMalformed(response(['a', 'b']), /:status/);
    expectMalformed(response(), /:status/);
    expectMalformed(response(status, status), /twice/);
    expectMalformed(response(['a', 'b'], status), /after another field/);
  });

  test.each(pseudo)('%s in it is malformed', (name, value) => {
    expectMalformed(response(status, [name, value]), /of requests/);
    expectMalformed(response([name, value], status), /of requests/);
  });
});

describe('trailers', () => {
  test('they are fields', () => {
    expect(trailers(['grpc-status', '0'], ['grpc-message', ''])).toEqual([
      ['grpc-status', '0'],
      ['grpc-message', ''],
    ]);
    expect(trailers()).toEqual([]);
  });

  test.each([...pseudo, status])('%s among them is malformed', (name, value) => {
    expectMalformed(trailers(['a', 'b'], [name, value]), /among trailers/);
    expectMalformed(trailers([name, value]), /among trailers/);
  });
});

describe.each([
  ['a request', (...fields: Field[]) => request(...pseudo, ...fields)],
  ['a response', (...fields: Field[]) => response(status, ...fields)],
  ['trailers', trailers],
] as [string, (...fields: Field[]) => unknown][])('the fields of %s', (_kind, read) => {
  test.each(['A', 'aB', '', 'a b', 'a\tb', 'a:b', 'a\0', 'a\n', 'a\x7f', 'é', 'a"', 'a/b', '(a)', 'a,b'])(
    'the name %j is malformed',
    (name) => {
      expectMalformed(read([name, 'x']), /name of a field/);
    },
  );

  test('every character of a token may be in a name', () => {
    expect(read(["!#$%&'*+-.^_`|~0aZ".toLowerCase(), 'x'])).not.toBeInstanceOf(HeadFault);
  });

  test.each(['a\rb', 'a\nb', 'a\0b', '\r\n', 'a\x01', 'a\x7f', ' a', 'a ', '\ta', 'a\t', ' '])(
    'the value %j is malformed',
    (value) => {
      expectMalformed(read(['a', value]), /value of a field/);
    },
  );

  test.each(['', 'a b', 'a\tb', '\x80\xff', '"', ','])('the value %j is right', (value) => {
    expect(read(['a', value])).not.toBeInstanceOf(HeadFault);
  });

  test.each(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])(
    '%s is malformed',
    (name) => {
      expectMalformed(read([name, 'close']), /of the connection/);
    },
  );

  test.each(['gzip', 'trailers, gzip', 'trailers;q=1', ''])('te: %j is malformed', (value) => {
    expectMalformed(read(['te', value]), /^te /);
  });

  test.each(['trailers', 'Trailers'])('te: %s is right', (value) => {
    expect(read(['te', value])).not.toBeInstanceOf(HeadFault);
  });
});

describe.each([
  ['a request', (...fields: Field[]) => request(...pseudo, ...fields)],
  ['a response', (...fields: Field[]) => response(status, ...fields)],
] as [string, (...fields: Field[]) => unknown][])('content-length of %s', (_kind, read) => {
  test.each([
    ['0', 0],
    ['42', 42],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ])('%s is a number', (value, contentLength) => {
    expect(read(['content-length', value])).toMatchObject({ contentLength });
  });

  test.each(['', '-1', '+1', '1.0', '1e3', '0x10', '1 2', '1,1', '1, 1', 'a', '9999999999999999'])(
    '%j is malformed',
    (value) => {
      expectMalformed(read(['content-length', value]), /content-length/);
    },
  );

  test('several that say the same are one, and others are malformed', () => {
    expect(read(['content-length', '5'], ['a', 'b'], ['content-length', '5'])).toMatchObject({
      contentLength: 5,
    });
    expectMalformed(read(['content-length', '5'], ['content-length', '6']), /several/);
  });
});

test('what is wrong with a field is found again when it comes by an index', () => {
  const bad = new HeaderField('A', 'b');
  const fields = [...headerFields(pseudo), bad];
  expectMalformed(toRequestHead(fields), /name of a field/);
  expectMalformed(toRequestHead(fields), /name of a field/);
  expectMalformed(toTrailers([bad]), /name of a field/);
});
