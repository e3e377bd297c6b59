/** Calls as a program without types may make them, with every wrong kind of every argument, for both faces of the store. */

/** Values that are wrong wherever such a kind is wanted. */
const wrongByKind = {
  text: [null, 5, 5n, true, {}, [], Buffer.from('a'), () => 'a', Symbol('a'), '\ud800'],
  textOrNull: [5, 5n, true, {}, [], Buffer.from('a'), () => 'a', Symbol('a'), '\ud800'],
  key: [null, 5, 5n, true, {}, ['a'], new ArrayBuffer(1), () => 'a', Symbol('a'), '\ud800', detachedBytes()],
  value: [null, 5, 5n, false, {}, [1, 2], new Date(0), Promise.resolve('a'), '\udc00', detachedBytes()],
  number: [null, '5', 5n, true, {}, [], Number.NaN, -1],
  wholeNumber: [null, '5', 5n, true, {}, [], Number.NaN, -1, 0.5, 2 ** 53],
  delta: [null, '5', true, {}, 0.5, Number.NaN, 2 ** 53, 2n ** 63n],
  flag: [null, 0, 1, 'true', {}],
  consistency: [null, 0, 2, true, '', 'Local', 'strong', ['local'], {}],
  keys: [null, 'abc', 5, {}, new Set(['a']), Buffer.from('a'), [5], [null], Array(1)],
  condition: [
    null,
    'mustExist',
    true,
    [],
    {},
    { kind: 'mustnotexist' },
    { kind: 'mustExist', modRevision: 5 },
    { kind: 'modRevisionEquals' },
    { kind: 'modRevisionEquals', modRevision: '5' },
    { kind: 'modRevisionEquals', revision: 5 },
  ],
  range: [
    null,
    'p/',
    5,
    [],
    Buffer.from('p/'),
    { prefx: 'p/' },
    { prefix: null },
    { prefix: 5 },
    { key: ['a'] },
    { end: new ArrayBuffer(1) },
    { prefix: detachedBytes() },
    { all: true },
    { all: undefined },
    { start: '\ud800' },
  ],
  deletedRange: [
    null,
    'p/',
    5,
    [],
    {},
    { prefix: '' },
    { prefix: undefined },
    { key: '' },
    { key: new Uint8Array(0) },
    { start: 'a', end: '' },
    { start: 'a', end: new Uint8Array(0) },
    { start: 'a', end: undefined },
    { prefx: 'p/' },
    { prefix: 5 },
    { all: false },
    { all: 'true' },
    { all: undefined },
    { all: true, prefix: 'a' },
    { all: true, prefix: undefined },
  ],
  ranges: [null, 'p/', { prefix: 'p/' }, ['p/'], [null], [{ prefx: 'p/' }], [{ all: true }], [undefined]],
  eventTypes: [null, 'put', ['puts'], [null], [1]],
  signal: [null, true, {}, new AbortController(), { aborted: false }],
  callback: [null, true, 'f', {}],
  policy: [null, true, '', 'sometimes', 'Always'],
  request: [
    null,
    'a',
    5,
    [],
    { sucess: [] },
    { success: null },
    { success: {} },
    { success: [null] },
    { success: ['put'] },
    { success: [{}] },
    { success: [{ kind: 'set', key: 'a', value: '1' }] },
    { success: [{ kind: 'put', key: 'a' }] },
    { success: [{ kind: 'put', key: 'a', value: null }] },
    { success: [{ kind: 'put', value: 'a' }] },
    { success: [{ kind: 'put', key: 'a', value: '1', ttl: 5 }] },
    { success: [{ kind: 'put', key: 'a', value: '1', ttlMs: '5' }] },
    { failure: [{ kind: 'delete', key: 'a', returnPrevious: 1 }] },
    { failure: [{ kind: 'deleteRange' }] },
    { failure: [{ kind: 'deleteRange', range: {} }] },
    { failure: [{ kind: 'deleteRange', range: { prefix: '' } }] },
    { success: [{ kind: 'increment', key: 'a' }] },
    { success: [{ kind: 'increment', key: 'a', delta: 0.5 }] },
    { compares: [{}] },
    { compares: [compareWith({ subject: 'a' })] },
    { compares: [compareWith({ subject: {} })] },
    { compares: [compareWith({ subject: { key: undefined } })] },
    { compares: [compareWith({ subject: { key: 'a', range: {} } })] },
    { compares: [compareWith({ subject: { range: { all: true } } })] },
    { compares: [compareWith({ subject: { range: { prefx: 'a' } } })] },
    { compares: [compareWith({ relation: '=' })] },
    { compares: [compareWith({ relation: undefined })] },
    { compares: [compareWith({ operand: { kind: 'exist', value: true } })] },
    { compares: [compareWith({ operand: { kind: 'exists' } })] },
    { compares: [compareWith({ operand: { kind: 'exists', value: 1 } })] },
    { compares: [compareWith({ operand: { kind: 'value', value: 1 } })] },
    { compares: [compareWith({ operand: { kind: 'version', value: '1' } })] },
    { compares: [{ ...compareWith({}), target: 'value' }] },
  ],
  limits: [null, 5, 'big', { keysMax: 5 }, { valueBytesMax: '5' }, { valueBytesMax: 0 }, { leasesMax: 0.5 }],
  tls: [
    null,
    'yes',
    1,
    { reject: false },
    { ca: 5 },
    { ca: [5] },
    { servername: 5 },
    { passphrase: 5 },
    { rejectUnauthorized: 0 },
  ],
  object: [null, true, 5, 'a', []],
  credentials: [
    null,
    '',
    'a token',
    5,
    true,
    [],
    ['a token'],
    Promise.resolve({ token: 'a' }),
    {},
    { token: '' },
    { token: undefined },
    { token: null },
    { token: 5 },
    { token: 'a\n' },
    { token: 'a b' },
    { token: 'a\r\nx: y' },
    { token: 'é' },
    { tokne: 'a' },
    { user: 'ada' },
    { user: 'ada', password: '' },
    { user: 'ada', password: undefined },
    { user: 'ada', password: 5 },
    { user: 'ada', password: Buffer.from('a') },
    { user: 'ada', password: '\ud800' },
    { user: 'ada', pasword: 'a' },
    { user: '', password: 'a' },
    { user: 'a:b', password: 'a' },
    { user: 'a\nb', password: 'a' },
    { user: 'ada', password: 'a', token: 'a' },
    { password: 'a' },
  ],
  name: [null, '', 5, true, {}, ['a'], Buffer.from('a'), '\ud800'],
  names: [null, 'abc', 5, {}, new Set(['a']), [5], [''], [null], Array(1)],
  secret: [null, '', 5, true, {}, ['a'], Buffer.from('a'), '\ud800'],
  newPassword: ['', 5, true, {}, ['a'], Buffer.from('a'), '\ud800'],
  grant: [
    null,
    'read',
    5,
    [],
    {},
    { permission: 'read' },
    { permission: 'reads', key: 'a' },
    { permission: 'admin', key: 'a' },
    { permission: 'admin', all: true },
    { permission: 'read', key: '' },
    { permission: 'read', key: undefined },
    { permission: 'read', prefix: '' },
    { permission: 'read', prefx: 'a' },
    { permission: 'read', start: 'a', end: '' },
    { permission: 'read', key: 'a', prefix: 'a' },
    { permission: 'read', prefix: 'a', end: 'b' },
    { permission: 'read', all: true, prefix: 'a' },
    { permission: 'read', all: 'true' },
    { permission: 'read', key: 5 },
    { key: 'a' },
  ],
  grantTarget: [
    null,
    'a',
    [],
    {},
    { key: '' },
    { prefix: undefined },
    { key: 'a', prefix: 'a' },
    { prefx: 'a' },
    { permission: 'read' },
    { permission: 'none', key: 'a' },
    { permission: 'admin', key: 'a' },
  ],
} as const satisfies Record<string, readonly unknown[]>;

export type Kind = keyof typeof wrongByKind;

function compareWith(changed: object): object {
  return { subject: { key: 'a' }, relation: 'equal', operand: { kind: 'exists', value: true }, ...changed };
}

function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array([1, 2, 3]);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** An argument by position: its name in messages, its kind, and one that is right. */
export type Argument = readonly [name: string, kind: Kind, right: unknown, isOptional?: 'optional'];

/** A call: its arguments, and the names of its options as its table has them. */
export interface CallShape {
  readonly positions: readonly Argument[];
  readonly options?: readonly string[];
}

export interface WrongCall {
  readonly title: string;
  readonly given: readonly unknown[];
  /** What its error names. */
  readonly name: string;
}

/** Every wrong kind of every argument and option of a call, one at a time; and options where there are none. */
export function wrongCalls(
  { positions, options }: CallShape,
  kindByOption: Readonly<Record<string, Kind>>,
): WrongCall[] {
  const right = positions.map(([, , argument]) => argument);
  const calls = positions.flatMap(([name, kind, , isOptional], index) => {
    const wrong: unknown[] = [...wrongByKind[kind]];
    if (isOptional === undefined) wrong.push(undefined);
    return wrong.map((each) => ({
      title: `${name}: ${show(each)}`,
      given: right.with(index, each),
      name,
    }));
  });
  if (options === undefined) {
    const surplus = [{}, { signal: AbortSignal.abort() }, null, 5].map((each) => ({
      title: `something more: ${show(each)}`,
      given: [...right, each],
      name: 'takes no options',
    }));
    return [...calls, ...surplus];
  }
  const wrongOptions = [null, 5, 'ttlMs', true, [], () => ({})].map((each) => ({
    title: `options: ${show(each)}`,
    given: [...right, each],
    name: 'options',
  }));
  const unknownOptions = ['ttl', 'ifAbsent', '__proto__x'].map((name) => ({
    title: `unknown option ${name}`,
    given: [...right, { [name]: 5 }],
    name: `"${name}"`,
  }));
  const wrongMembers = options.flatMap((name) => {
    const kind = kindByOption[name];
    if (kind === undefined) throw new Error(`the tests know no kind of the option ${name}`);
    return wrongByKind[kind].map((each) => ({
      title: `${name}: ${show(each)}`,
      given: [...right, { [name]: each }],
      name,
    }));
  });
  return [...calls, ...wrongOptions, ...unknownOptions, ...wrongMembers];
}

function show(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') {
    return String(value);
  }
  return (
    JSON.stringify(value, (_, each: unknown) => (each === undefined ? 'undefined' : each)) ?? 'undefined'
  );
}

/** What a call says: lists and streams tell it when they are first read. A call that throws at once is a defect. */
export async function failureOfCall(call: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    throw new Error('it threw at once', { cause: error });
  }
  try {
    if (isList(result)) await result.toArray();
    else if (isStream(result)) await result.next();
    else await result;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function isList(result: unknown): result is { toArray(): Promise<unknown> } {
  return typeof result === 'object' && result !== null && 'toArray' in result;
}

function isStream(result: unknown): result is AsyncIterator<unknown> {
  return typeof result === 'object' && result !== null && 'next' in result;
}

/** The same bytes in every form in which a program may have them. */
export function bytesInEveryForm(): Record<
  string,
  readonly [value: ArrayBufferView | ArrayBufferLike | string, bytes: number[]]
> {
  const buffer = new Uint8Array([0, 1, 2, 3, 4, 255]).buffer;
  const shared = new SharedArrayBuffer(4);
  new Uint8Array(shared).set([9, 8, 7, 6]);
  return {
    text: ['é', [0xc3, 0xa9]],
    'no text': ['', []],
    Uint8Array: [new Uint8Array([1, 2]), [1, 2]],
    'a part of a Uint8Array': [new Uint8Array(buffer, 1, 2), [1, 2]],
    Buffer: [Buffer.from([1, 2]), [1, 2]],
    ArrayBuffer: [buffer, [0, 1, 2, 3, 4, 255]],
    'an empty ArrayBuffer': [new ArrayBuffer(0), []],
    'a part of an ArrayBuffer as DataView': [new DataView(buffer, 4, 2), [4, 255]],
    Uint16Array: [new Uint16Array(buffer, 2, 1), [2, 3]],
    Float64Array: [new Float64Array([0]), [0, 0, 0, 0, 0, 0, 0, 0]],
    SharedArrayBuffer: [shared, [9, 8, 7, 6]],
    'a Uint8Array of shared memory': [new Uint8Array(shared, 1), [8, 7, 6]],
  };
}
