/** An etcd server and the few messages of its API (etcdserverpb, version 3) that the bench sends, put together by hand. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { CaseContext } from '../bench-case.ts';
import { ChildServer } from '../load/child-server.ts';
import { freePort } from '../../test/support/free-port.ts';

export const RANGE_PATH = '/etcdserverpb.KV/Range';
export const ETCD_PUT_PATH = '/etcdserverpb.KV/Put';
export const TXN_PATH = '/etcdserverpb.KV/Txn';
export const ETCD_WATCH_PATH = '/etcdserverpb.Watch/Watch';

/** The most operations of a transaction, by etcd's default. */
export const TXN_OPERATIONS_MAX = 128;

export interface EtcdServer {
  readonly child: ChildServer;
  readonly address: string;
}

/** @returns `undefined` when etcd is not installed. */
export async function startEtcd(context: CaseContext, directory: string): Promise<EtcdServer | undefined> {
  const address = `127.0.0.1:${await freePort()}`;
  const peerUrl = `http://127.0.0.1:${await freePort()}`;
  const child = await startMember(context, directory, { name: 'default', address, peerUrl }, [
    `--initial-cluster=default=${peerUrl}`,
  ]);
  return child && { child, address };
}

export interface MemberPlace {
  readonly name: string;
  /** `HOST:PORT`, for clients. */
  readonly address: string;
  readonly peerUrl: string;
}

/** Resolves when it is one of a majority. @returns `undefined` when etcd is not installed. */
export function startMember(
  context: CaseContext,
  directory: string,
  { name, address, peerUrl }: MemberPlace,
  options: readonly string[],
): Promise<ChildServer | undefined> {
  const clientUrl = `http://${address}`;
  return ChildServer.start(context, {
    command: 'etcd',
    args: [
      `--name=${name}`,
      `--data-dir=${directory}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      ...options,
    ],
    findReady: (line) => (/ready to serve client requests/.test(line) ? 'ready' : undefined),
  });
}

/** RangeRequest { bytes key = 1 } */
export function rangeRequest(key: string): Buffer {
  return Buffer.from(bytesField(new BinaryWriter(), 1, Buffer.from(key)).finish());
}

/** RangeRequest { bytes key = 1; bool serializable = 7 }: of what the member has. */
export function localRangeRequest(key: string): Buffer {
  const writer = bytesField(new BinaryWriter(), 1, Buffer.from(key));
  return Buffer.from(writer.tag(7, WireType.Varint).bool(true).finish());
}

/** PutRequest { bytes key = 1; bytes value = 2 } */
export function etcdPutRequest(key: string, value: Uint8Array): Buffer {
  const writer = bytesField(new BinaryWriter(), 1, Buffer.from(key));
  return Buffer.from(bytesField(writer, 2, value).finish());
}

/** WatchRequest { WatchCreateRequest create_request = 1 }, WatchCreateRequest { bytes key = 1 } */
export function etcdWatchRequest(key: string): Buffer {
  const create = bytesField(new BinaryWriter(), 1, Buffer.from(key)).finish();
  return Buffer.from(bytesField(new BinaryWriter(), 1, create).finish());
}

/** TxnRequest { repeated RequestOp success = 2 }, RequestOp { PutRequest request_put = 2 } */
export function putsRequest(puts: readonly Uint8Array[]): Buffer {
  const writer = new BinaryWriter();
  for (const put of puts) bytesField(writer, 2, bytesField(new BinaryWriter(), 2, put).finish());
  return Buffer.from(writer.finish());
}

function bytesField(writer: BinaryWriter, field: number, bytes: Uint8Array): BinaryWriter {
  return writer.tag(field, WireType.LengthDelimited).bytes(bytes);
}
