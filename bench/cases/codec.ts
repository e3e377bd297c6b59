/**
 * What it costs to write and read the messages of the hot paths, by the generated codecs and by protobuf-es.
 *
 * Each figure is the best of several rounds: what the code needs when nothing else takes the processor.
 */

import { type MessageShape, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type RecordShape,
  readRecord,
  sizeOfRecord,
  writeRecord,
} from '../../gen/kelp/storage/v1/log_codec.ts';
import { RecordSchema } from '../../gen/kelp/storage/v1/log_pb.ts';
import {
  type SnapshotVersionShape,
  readSnapshotVersion,
  sizeOfSnapshotVersion,
  writeSnapshotVersion,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import { SnapshotVersionSchema } from '../../gen/kelp/storage/v1/snapshot_pb.ts';
import {
  type GetResponseShape,
  readGetResponse,
  sizeOfGetResponse,
  writeGetResponse,
} from '../../gen/kelp/v1/kv_codec.ts';
import { GetResponseSchema } from '../../gen/kelp/v1/kv_pb.ts';

export interface CodecFigure {
  readonly message: string;
  readonly direction: 'write' | 'read';
  readonly by: 'codec' | 'protobuf-es';
  readonly nanosPerMessage: number;
}

const KEY = 'user:00000000042';
const KEY_BYTES = Buffer.from(KEY);
const VALUE = Buffer.alloc(100, 'v');
const NOW_MS = 1_760_000_000_000;

const buffer = Buffer.alloc(64 * 1024);

/** Measures every message in both directions; takes about `roundMillis` * `rounds` * 12. */
export function measureCodec(roundMillis = 50, rounds = 5): CodecFigure[] {
  const figures: CodecFigure[] = [];
  const add = (
    message: string,
    direction: 'write' | 'read',
    by: 'codec' | 'protobuf-es',
    run: () => unknown,
  ): void => {
    figures.push({ message, direction, by, nanosPerMessage: Math.round(nanosOf(run, roundMillis, rounds)) });
  };

  const recordBytes = Buffer.from(toBinary(RecordSchema, recordMessage()));
  add('Record', 'write', 'codec', () => {
    const record = recordShape();
    return sizeOfRecord(record) + writeRecord(record, buffer, 0);
  });
  add('Record', 'write', 'protobuf-es', () => toBinary(RecordSchema, recordMessage()));
  add('Record', 'read', 'codec', () => readRecord(recordBytes, 0, recordBytes.length));
  add('Record', 'read', 'protobuf-es', () => fromBinary(RecordSchema, recordBytes));

  const responseBytes = Buffer.from(toBinary(GetResponseSchema, responseMessage()));
  add('GetResponse', 'write', 'codec', () => {
    const response = responseShape();
    return sizeOfGetResponse(response) + writeGetResponse(response, buffer, 0);
  });
  add('GetResponse', 'write', 'protobuf-es', () => toBinary(GetResponseSchema, responseMessage()));
  add('GetResponse', 'read', 'codec', () => readGetResponse(responseBytes, 0, responseBytes.length));
  add('GetResponse', 'read', 'protobuf-es', () => fromBinary(GetResponseSchema, responseBytes));

  const versionBytes = Buffer.from(toBinary(SnapshotVersionSchema, versionMessage()));
  add('SnapshotVersion', 'write', 'codec', () => {
    const version = versionShape();
    return sizeOfSnapshotVersion(version) + writeSnapshotVersion(version, buffer, 0);
  });
  add('SnapshotVersion', 'write', 'protobuf-es', () => toBinary(SnapshotVersionSchema, versionMessage()));
  add('SnapshotVersion', 'read', 'codec', () => readSnapshotVersion(versionBytes, 0, versionBytes.length));
  add('SnapshotVersion', 'read', 'protobuf-es', () => fromBinary(SnapshotVersionSchema, versionBytes));
  return figures;
}

function nanosOf(run: () => unknown, roundMillis: number, rounds: number): number {
  let runs = 1000;
  let best = Infinity;
  for (let round = 0; round <= rounds; round++) {
    const start = process.hrtime.bigint();
    for (let index = 0; index < runs; index++) sink[0] = run();
    const nanos = Number(process.hrtime.bigint() - start) / runs;
    // The first round warms up and tells how many runs fill a round.
    if (round === 0) runs = Math.ceil((roundMillis * 1e6) / nanos);
    else best = Math.min(best, nanos);
  }
  return best;
}

/** Takes every result, so that no run can be optimized away. */
const sink: unknown[] = [undefined];

function recordShape(): RecordShape {
  const put = {
    key: KEY_BYTES,
    value: VALUE,
    createRevision: 1_000_001,
    version: 3,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
    kind: 0,
    collectionId: 0,
    replacedExpired: false,
  };
  const effects: RecordShape['effects'] = [{ effect: { case: 'put', value: put } }];
  return { revision: 1_234_567, timeMs: NOW_MS, leaseClockMs: 0, effects };
}

function recordMessage(): MessageShape<typeof RecordSchema> {
  return create(RecordSchema, {
    revision: 1_234_567n,
    timeMs: BigInt(NOW_MS),
    effects: [
      {
        effect: {
          case: 'put',
          value: { key: KEY_BYTES, value: VALUE, createRevision: 1_000_001n, version: 3n },
        },
      },
    ],
  });
}

function responseShape(): GetResponseShape {
  const entry = {
    key: KEY,
    value: VALUE,
    createRevision: 1_000_001,
    modRevision: 1_234_567,
    version: 3,
    leaseId: 0,
    expireTime: undefined,
    type: 0,
    keyBytes: new Uint8Array(0),
  };
  return { entry, revision: 1_234_567 };
}

function responseMessage(): MessageShape<typeof GetResponseSchema> {
  return create(GetResponseSchema, {
    entry: { key: KEY, value: VALUE, createRevision: 1_000_001n, modRevision: 1_234_567n, version: 3n },
    revision: 1_234_567n,
  });
}

function versionShape(): SnapshotVersionShape {
  return {
    key: KEY_BYTES,
    revision: 1_234_567,
    deleted: false,
    value: VALUE,
    createRevision: 1_000_001,
    modRevision: 1_234_567,
    version: 3,
    leaseId: 0,
    ttlMs: 60_000,
    expireTimeMs: NOW_MS,
    kind: 0,
    collectionId: 0,
    replacedBy: 0,
  };
}

function versionMessage(): MessageShape<typeof SnapshotVersionSchema> {
  return create(SnapshotVersionSchema, {
    key: KEY_BYTES,
    revision: 1_234_567n,
    value: VALUE,
    createRevision: 1_000_001n,
    modRevision: 1_234_567n,
    version: 3n,
    ttlMs: 60_000n,
    expireTimeMs: BigInt(NOW_MS),
  });
}

if (import.meta.main) console.table(measureCodec());
