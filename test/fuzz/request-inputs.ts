/** Valid requests of every method, and the ways in which they are put on the wire. */
import { type DescMethod, create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import * as fc from 'fast-check';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { KvService, type TxnRequest, TxnRequestSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import type { SeededRandom } from '../support/random.ts';
import { initArbitrary } from '../wire/shapes.ts';

const SAMPLES_PER_METHOD = 20;

export interface ValidRequest {
  readonly method: DescMethod;
  readonly path: string;
  readonly binary: Buffer;
  readonly json: Buffer;
}

const services = [KvService, WatchService, LeaseService, AdminService, Health, ServerReflection];

export const validRequests: readonly ValidRequest[] = services.flatMap(({ methods }) =>
  methods.flatMap((method) =>
    fc
      .sample(initArbitrary(method.input), { numRuns: SAMPLES_PER_METHOD, seed: 1 })
      .map((init) => validRequest(method, create(method.input, init)))
      .filter((request) => request !== undefined),
  ),
);

/** One that does much when it is served, since random ones are mostly refused as a whole. */
export const transaction: TxnRequest = create(TxnRequestSchema, {
  compares: [{ subject: { case: 'key', value: 'a' }, relation: 2, operand: { case: 'version', value: 9n } }],
  success: [
    {
      operation: {
        case: 'put',
        value: { key: 'a', value: Buffer.from('b'), ttl: { seconds: 9n, nanos: 5 } },
      },
    },
    { operation: { case: 'get', value: { key: 'grüße' } } },
    { operation: { case: 'increment', value: { key: 'n', delta: -3n } } },
    { operation: { case: 'deleteRange', value: { range: { prefix: 'p' } } } },
  ],
  failure: [{ operation: { case: 'delete', value: { key: 'a', returnPrevious: true } } }],
});

export const validTransaction: ValidRequest = {
  method: KvService.method.txn,
  path: pathOf(KvService.method.txn),
  binary: Buffer.from(toBinary(TxnRequestSchema, transaction)),
  json: Buffer.from(toJsonString(TxnRequestSchema, transaction)),
};

/** JSON of any shape; some of its names are those of fields. */
export function randomJson(random: SeededRandom, depth = 4): unknown {
  const kind = random.below(depth === 0 ? 5 : 8);
  switch (kind) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick([0, -1, 1.5, 1e300, 2 ** 53, 2 ** 31, -(2 ** 63)]);
    case 2:
      return random.pick([
        '',
        '0',
        '-9223372036854775808',
        '1e9',
        'NaN',
        '3s',
        '0.5s',
        '\ud800',
        'AA==',
        '*',
      ]);
    case 3:
    case 4:
      return Buffer.from(random.bytes(random.below(20))).toString(random.pick(['base64', 'latin1']));
    case 5:
      return Array.from({ length: random.below(5) }, () => randomJson(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(5) }, () => [
          random.pick(FIELD_NAMES),
          randomJson(random, depth - 1),
        ]),
      );
  }
}

const FIELD_NAMES: readonly string[] = [
  ...new Set(
    services.flatMap(({ methods }) =>
      methods.flatMap(({ input }) => input.fields.map((field) => field.jsonName)),
    ),
  ),
  'operation',
  'put',
  'get',
  '__proto__',
  'constructor',
];

/** A message with its prefix, of which flags and length may be no truth. */
export function envelope(message: Uint8Array, random: SeededRandom): Buffer {
  const bytes = Buffer.from(encodeEnvelope(0, message));
  if (random.chance(0.2)) bytes[0] = random.pick([1, 2, 3, 0x80, 0xff]);
  if (random.chance(0.2)) bytes.writeUInt32BE(random.pick([0, message.length + 1, 2 ** 31, 2 ** 32 - 1]), 1);
  if (random.chance(0.1)) return Buffer.concat([bytes, bytes]);
  return bytes;
}

function validRequest(method: DescMethod, message: ReturnType<typeof create>): ValidRequest | undefined {
  const { input } = method;
  const binary = Buffer.from(toBinary(input, message));
  try {
    return { method, path: pathOf(method), binary, json: Buffer.from(toJsonString(input, message)) };
  } catch {
    // JSON has no form for a duration beyond its bounds, and others of its kind.
    return undefined;
  }
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}
