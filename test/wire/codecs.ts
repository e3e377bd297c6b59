/** Every generated codec, the placed ones among them, found by its file, with the descriptor of its message. */

import { readdirSync } from 'node:fs';
import type { DescFile, DescMessage } from '@bufbuild/protobuf';
import { placedCodecOf, type CodecModule } from './placed-codecs.ts';

const GEN = new URL('../../gen/', import.meta.url);

/** A message as the codec sees it. */
export interface Shape {
  [field: string]: unknown;
}

export interface Codec {
  readonly name: string;
  readonly message: DescMessage;
  empty(): Shape;
  sizeOf(shape: Shape): number;
  write(shape: Shape, buffer: Buffer, offset: number): number;
  read(buffer: Buffer, start: number, end: number): Shape;
}

/** The int64 fields that use all of their 64 bits. */
export const bigIntFields: ReadonlySet<string> = new Set([
  'etcdserverpb.PutRequest.lease',
  'etcdserverpb.Compare.lease',
  'etcdserverpb.LeaseGrantRequest.ID',
  'etcdserverpb.LeaseRevokeRequest.ID',
  'etcdserverpb.LeaseKeepAliveRequest.ID',
  'etcdserverpb.LeaseKeepAliveResponse.ID',
  'etcdserverpb.LeaseTimeToLiveRequest.ID',
  'etcdserverpb.LeaseTimeToLiveResponse.ID',
  'kelp.v1.IncrementRequest.delta',
  'kelp.v1.IncrementResponse.value',
  'kelp.v1.IncrementOperation.delta',
  'kelp.v1.IncrementResult.value',
  'kelp.v1.HashIncrementRequest.delta',
]);

export const codecs: readonly Codec[] = await loadCodecs();

/** Writes into a buffer of its own. */
export function encode(codec: Codec, shape: Shape): Buffer {
  const buffer = Buffer.alloc(codec.sizeOf(shape));
  codec.write(shape, buffer, 0);
  return buffer;
}

async function loadCodecs(): Promise<Codec[]> {
  const paths = readdirSync(GEN, { recursive: true, encoding: 'utf8' });
  const files = new Map<string, DescFile>();
  for (const path of paths.filter((path) => path.endsWith('_pb.ts'))) {
    const module = (await import(new URL(path, GEN).href)) as { [name: string]: DescFile };
    for (const [name, value] of Object.entries(module)) if (name.startsWith('file_')) addFile(value, files);
  }
  const loaded: Codec[] = [];
  for (const path of paths.filter((path) => path.endsWith('_codec.ts')).sort()) {
    const file = files.get(path.replace(/_codec\.ts$/, ''));
    if (file === undefined) throw new Error(`no schema for ${path}`);
    const module = (await import(new URL(path, GEN).href)) as CodecModule;
    for (const message of file.messages) {
      if (!(`write${message.name}` in module)) continue;
      const codec = codecOf(message, module);
      const placed = placedCodecOf(codec, module);
      loaded.push(codec, ...(placed === undefined ? [] : [placed]));
    }
  }
  return loaded;
}

function addFile(file: DescFile, files: Map<string, DescFile>): void {
  files.set(file.name, file);
  for (const dependency of file.dependencies) addFile(dependency, files);
}

function codecOf(message: DescMessage, module: CodecModule): Codec {
  return {
    name: message.typeName,
    message,
    empty: module[`empty${message.name}`] as unknown as Codec['empty'],
    sizeOf: module[`sizeOf${message.name}`] as unknown as Codec['sizeOf'],
    write: module[`write${message.name}`] as unknown as Codec['write'],
    read: module[`read${message.name}`] as unknown as Codec['read'],
  };
}
