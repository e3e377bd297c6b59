/** The client as a program without types calls it: whatever is wrong is refused, says what is, and is never sent. */
import type { Transport } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { Access } from '../../src/client/access.ts';
import { Admin } from '../../src/client/admin.ts';
import { Cluster } from '../../src/client/cluster.ts';
import { clientOptions, optionsByCall } from '../../src/client/arguments.ts';
import { KelpClient, createClient } from '../../src/client/client.ts';
import { Leases } from '../../src/client/lease.ts';
import { client as limits } from '../../src/limits.ts';
import {
  type CallShape,
  type Kind,
  bytesInEveryForm,
  failureOfCall,
  wrongCalls,
} from '../support/wrong-arguments.ts';
import { clientOf } from './support/fake-server.ts';

type Call = keyof typeof optionsByCall;

const positionsByCall: Record<Call, CallShape['positions']> = {
  get: [['key', 'key', 'a']],
  put: [
    ['key', 'key', 'a'],
    ['value', 'value', '1'],
  ],
  delete: [['key', 'key', 'a']],
  deleteRange: [['range', 'deletedRange', { key: 'a' }]],
  exists: [['keys', 'keys', ['a']]],
  count: [['range', 'range', {}, 'optional']],
  scan: [['range', 'range', {}, 'optional']],
  keys: [['pattern', 'text', '*', 'optional']],
  increment: [
    ['key', 'key', 'n'],
    ['delta', 'delta', 1n, 'optional'],
  ],
  touch: [['key', 'key', 'a']],
  txn: [['request', 'request', {}]],
  watch: [],
  mirror: [['range', 'range', {}, 'optional']],
  'leases.grant': [['ttlMs', 'number', 5000]],
  'leases.resume': [['leaseId', 'wholeNumber', 5]],
  'leases.renew': [['leaseId', 'wholeNumber', 5]],
  'leases.revoke': [['leaseId', 'wholeNumber', 5]],
  'leases.get': [['leaseId', 'wholeNumber', 5]],
  'leases.list': [],
  'admin.status': [],
  'admin.activity': [],
  'admin.snapshot': [],
  'admin.backup': [],
  'admin.compact': [['revision', 'wholeNumber', 1]],
  'admin.compactStorage': [],
  'cluster.members': [],
  'cluster.report': [
    ['report', 'object', { address: 'a:1', position: 1, snapshotPosition: 0, storeId: 'a', nonce: 'b' }],
  ],
  'cluster.head': [],
  'cluster.follow': [
    ['from', 'object', { storeId: '', afterRevision: 0, incarnation: '', noteCount: 0, noteChecksum: 0 }],
  ],
  'cluster.handover': [],
  'access.whoAmI': [],
  'access.createUser': [['name', 'name', 'ada']],
  'access.deleteUser': [['name', 'name', 'ada']],
  'access.setPassword': [['password', 'newPassword', 'a word']],
  'access.giveRole': [
    ['user', 'name', 'ada'],
    ['role', 'name', 'reader'],
  ],
  'access.takeRole': [
    ['user', 'name', 'ada'],
    ['role', 'name', 'reader'],
  ],
  'access.listUsers': [],
  'access.createRole': [['name', 'name', 'reader']],
  'access.deleteRole': [['name', 'name', 'reader']],
  'access.addGrant': [
    ['role', 'name', 'reader'],
    ['grant', 'grant', { permission: 'read', key: 'a' }],
  ],
  'access.removeGrant': [
    ['role', 'name', 'reader'],
    ['target', 'grantTarget', { key: 'a' }],
  ],
  'access.listRoles': [],
  'access.createToken': [['name', 'name', 'of ada']],
  'access.deleteToken': [['name', 'name', 'of ada']],
  'access.listTokens': [],
};

const kindByOption: Record<string, Kind> = {
  to: 'text',
  signal: 'signal',
  deadlineMs: 'number',
  limit: 'number',
  pageSize: 'number',
  consistency: 'consistency',
  minRevision: 'wholeNumber',
  revision: 'wholeNumber',
  inParts: 'flag',
  refreshTtl: 'flag',
  ttlMs: 'number',
  leaseId: 'wholeNumber',
  condition: 'condition',
  returnPrevious: 'flag',
  includeElements: 'flag',
  reverse: 'flag',
  keysOnly: 'flag',
  keysMax: 'number',
  bytesMax: 'number',
  ranges: 'ranges',
  startRevision: 'wholeNumber',
  storeId: 'text',
  incarnation: 'text',
  includeCurrent: 'flag',
  eventTypes: 'eventTypes',
  progressIntervalMs: 'number',
  revisionBytesMax: 'number',
  restartWhenLost: 'flag',
  onInterrupted: 'callback',
  onResumed: 'callback',
  includeKeys: 'flag',
  password: 'secret',
  roles: 'names',
  user: 'name',
};

const calls = Object.keys(optionsByCall) as Call[];

/** A client whose every call to its server is counted, and fails. */
function countingClient(): { client: KelpClient; sentCount: () => number } {
  let count = 0;
  const fail = (): Promise<never> => {
    count++;
    return Promise.reject(new Error('sent'));
  };
  const transport: Transport = { unary: fail, stream: fail };
  return { client: createClient({ address: 'fake:7379', transport, retries: 0 }), sentCount: () => count };
}

function methodOf(client: KelpClient, call: Call): (...given: readonly unknown[]) => unknown {
  const [name = '', room] = call.split('.').reverse();
  const owner = (
    room === undefined ? client : client[room as 'leases' | 'admin' | 'access' | 'cluster']
  ) as object;
  return (owner[name as keyof typeof owner] as (...given: readonly unknown[]) => unknown).bind(owner);
}

/** What is asked of them is looked at in `collections/arguments.test.ts`, `namespace/namespace.test.ts` and `recipes/arguments.test.ts`. */
const rooms = ['hash', 'list', 'set', 'sortedSet', 'sketch', 'namespace', 'recipes'];

test('every call of the client is looked at', () => {
  const namesOf = ({ prototype }: { readonly prototype: object }, room = ''): string[] =>
    Object.getOwnPropertyNames(prototype)
      .filter((name) => name !== 'constructor' && name !== 'close')
      .map((name) => room + name);
  const methods = [
    ...namesOf(KelpClient).filter((name) => !rooms.includes(name)),
    ...namesOf(Leases, 'leases.'),
    ...namesOf(Admin, 'admin.'),
    ...namesOf(Access, 'access.'),
    ...namesOf(Cluster, 'cluster.'),
  ];
  expect(methods.sort()).toEqual([...calls].sort());
});

describe.each(calls)('%s refuses', (call) => {
  test('every wrong kind of every argument, by its name, and sends nothing', async () => {
    const { client, sentCount } = countingClient();
    const method = methodOf(client, call);
    const shape = { positions: positionsByCall[call], options: optionsByCall[call].names };
    for (const { title, given, name } of wrongCalls(shape, kindByOption)) {
      const failure = await failureOfCall(() => method(...given));
      expect(failure, title).toMatchObject({
        name: 'KelpError',
        code: 'invalidArgument',
        mayHaveTakenEffect: false,
      });
      expect((failure as Error).message, title).toContain(name);
    }
    expect(sentCount()).toBe(0);
    // What is right is sent: the counter can count.
    await failureOfCall(() => method(...positionsByCall[call].map(([, , right]) => right)));
    expect(sentCount()).toBeGreaterThan(0);
  });
});

test('a watch takes one request, and nothing more', async () => {
  const { client, sentCount } = countingClient();
  const watch = client.watch.bind(client) as (...given: unknown[]) => unknown;
  expect(await failureOfCall(() => watch({}, { signal: AbortSignal.abort() }))).toMatchObject({
    code: 'invalidArgument',
    message: 'watch takes no options and no further argument',
  });
  expect(sentCount()).toBe(0);
});

test('a put that was not sent says that nothing has changed, whatever kept it from being sent', async () => {
  const { client, sentCount } = countingClient();
  const aborted = { signal: AbortSignal.abort() };
  expect(await failureOfCall(() => client.put('a', '1', aborted))).toMatchObject({
    code: 'canceled',
    mayHaveTakenEffect: false,
  });
  client.close();
  expect(await failureOfCall(() => client.put('a', '1'))).toMatchObject({
    code: 'closed',
    mayHaveTakenEffect: false,
  });
  expect(sentCount()).toBe(0);
});

test('a write that is too long to be sent says that nothing has changed', async () => {
  const { client, sentCount } = countingClient();
  // Its memory is never touched, so it takes none.
  const value = new ArrayBuffer(limits.messageBytesMax / 2 + 1);
  const put = { kind: 'put', value } as const;
  const success = [
    { ...put, key: 'a' },
    { ...put, key: 'b' },
  ];
  for (const call of [
    () => client.put('a', new ArrayBuffer(limits.messageBytesMax)),
    () => client.txn({ success }),
    () => client.txn({ success: success.slice(1), failure: success.slice(1) }),
  ]) {
    expect(await failureOfCall(call)).toMatchObject({ code: 'limitReached', mayHaveTakenEffect: false });
  }
  expect(sentCount()).toBe(0);
});

test('the handle of a lease refuses as the client does', async () => {
  let sentCount = 0;
  const { client } = clientOf((router) => {
    router.service(LeaseService, {
      grant: () => ({ leaseId: 5n, ttl: { seconds: 5n, nanos: 0 } }),
      renew: () => (sentCount++, { ttl: { seconds: 5n, nanos: 0 } }),
      revoke: () => (sentCount++, {}),
    });
  });
  const lease = await client.leases.grant(5000);
  for (const wrong of [null, 5, { deadline: 5 }, { signal: {} }, { deadlineMs: 0 }]) {
    for (const call of [() => lease.renew(wrong as object), () => lease.revoke(wrong as object)]) {
      expect(await failureOfCall(call)).toMatchObject({ code: 'invalidArgument', mayHaveTakenEffect: false });
    }
  }
  expect(sentCount).toBe(0);
  await lease.renew();
  expect(sentCount).toBe(1);
});

test.each(Object.entries(bytesInEveryForm()))(
  '%s is sent as the bytes that it is',
  async (_, [value, bytes]) => {
    const sent: number[][] = [];
    const { client } = clientOf((router) => {
      router.service(KvService, {
        put: (request) => (sent.push([...request.value]), {}),
        txn: ({ success, compares }) => {
          for (const { operation } of success)
            if (operation.case === 'put') sent.push([...operation.value.value]);
          for (const { operand } of compares) if (operand.case === 'value') sent.push([...operand.value]);
          return {};
        },
      });
    });
    await client.put('a', value);
    const equals = { subject: { key: 'a' }, relation: 'equal', operand: { kind: 'value', value } } as const;
    await client.txn({ compares: [equals], success: [{ kind: 'put', key: 'a', value }] });
    expect(sent).toEqual([bytes, bytes, bytes]);
  },
);

describe('createClient refuses', () => {
  const create = createClient as unknown as (...given: unknown[]) => unknown;
  const kinds: Record<string, Kind> = {
    address: 'text',
    addresses: 'keys',
    tls: 'tls',
    credentials: 'credentials',
    allowPlaintextCredentials: 'flag',
    deadlineMs: 'number',
    retries: 'number',
    consistency: 'consistency',
    minRevision: 'wholeNumber',
    connectionsMax: 'number',
    pipeline: 'flag',
    transport: 'object',
  };

  test('every wrong kind of every option, by its name', () => {
    for (const { title, given, name } of wrongCalls({ positions: [], options: clientOptions.names }, kinds)) {
      const options = given[0];
      const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
      let failure: unknown;
      try {
        create(isObject ? { address: 'fake:7379', ...options } : options);
      } catch (error) {
        failure = error;
      }
      expect(failure, title).toMatchObject({ name: 'KelpError', code: 'invalidArgument' });
      expect((failure as Error).message, title).toContain(name);
    }
  });

  test.each([
    [[], "options is missing; it must be an object such as { address: '127.0.0.1:7379' }"],
    [['127.0.0.1:7379'], 'options is the text "127.0.0.1:7379"; it must be an object such as'],
    [[{}], 'createClient needs address, or addresses where several servers have the store'],
    [[{ addres: 'a' }], 'createClient has no option "addres" (did you mean "address"?)'],
    [[{ address: 'ftp://kelp.example' }], 'its scheme is unknown'],
    [[{ address: 'a', transport: {} }], 'transport has no method "unary"'],
  ])('%j, and says what is missing', (given, message) => {
    expect(() => create(...given)).toThrow(message);
    expect(() => create(...given)).toThrow(expect.objectContaining({ code: 'invalidArgument' }) as Error);
  });
});
