/**
 * The methods that most calls are of, from the bytes of the request to those of the reply, by the generated codecs: what
 * `services/kv.ts` does for them behind Connect's adapter, without a message object on either side.
 */
import { type Message, fromBinary } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import {
  type DeleteResponseShape,
  type GetResponseShape,
  type IncrementResponseShape,
  type PutResponseShape,
  type ScanResponseShape,
  prependDeleteResponse,
  prependExistsResponse,
  prependGetResponse,
  prependIncrementResponse,
  prependPutResponse,
  prependScanResponse,
  readDeleteRequest,
  readExistsRequest,
  readGetRequest,
  readIncrementRequest,
  readPutRequest,
  readScanRequest,
  sizeOfDeleteResponse,
  sizeOfExistsResponse,
  sizeOfGetResponse,
  sizeOfIncrementResponse,
  sizeOfPutResponse,
  sizeOfScanResponse,
} from '../../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { Entry, Store } from '../../api.ts';
import { WireError } from '../../wire/wire-error.ts';
import { PREFIX_BYTES } from '../body-buffer.ts';
import type { Call } from '../calls.ts';
import { malformedRequestError } from '../errors.ts';
import { checkBinaryParts } from '../request-parts.ts';
import {
  type DeleteFields,
  type GetFields,
  type IncrementFields,
  type PutFields,
  type ScanFields,
  deleteKey,
  exists,
  get,
  increment,
  put,
  scan,
} from '../services/kv-calls.ts';
import { entryShape } from '../services/reply-entries.ts';

export interface HotMethod {
  /** For the log, as `kelp.v1.KvService/Get`. */
  readonly name: string;
  /**
   * Serves a request, the bytes from `start` to the end, which must not change until the promise settles.
   * @returns the reply as gRPC sends it: a prefix of 5 bytes, the message.
   * Rejects with a StoreError or ConnectError.
   */
  serve(store: Store, request: Buffer, start: number, call: Call): Promise<Buffer>;
}

/** Of the service, with a request that has the fields of `Request`. */
interface MethodOf<Request> {
  readonly name: string;
  readonly input: GenMessage<Message & Request>;
}

interface Codecs<Request, Reply> {
  readonly read: (buffer: Buffer, start: number, end: number) => Request;
  readonly sizeOf: (reply: Reply) => number;
  readonly prepend: (reply: Reply, buffer: Buffer, end: number) => number;
}

function hotMethod<Request, Reply>(
  { name, input }: MethodOf<Request>,
  { read, sizeOf, prepend }: Codecs<Request, Reply>,
  run: (store: Store, request: Request, call: Call) => Promise<Reply>,
): [path: string, method: HotMethod] {
  function decode(bytes: Buffer, start: number): Request {
    try {
      checkBinaryParts(input, bytes.subarray(start));
      return read(bytes, start, bytes.length);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return decodeAnyInteger(bytes.subarray(start), error);
    }
  }

  /** A number that is beyond what the codecs take is for the call to refuse, which knows its field. */
  function decodeAnyInteger(bytes: Buffer, wireError: WireError): Request {
    try {
      if (wireError.code === 'integerTooLarge') return fromBinary(input, bytes, { readUnknownFields: false });
    } catch {
      // It is no message for other reasons, too.
    }
    throw malformedRequestError(input.typeName, wireError.message);
  }

  async function serve(store: Store, request: Buffer, start: number, call: Call): Promise<Buffer> {
    const reply = await run(store, decode(request, start), call);
    const size = sizeOf(reply);
    const framed = Buffer.allocUnsafe(PREFIX_BYTES + size);
    framed[0] = 0;
    framed.writeUInt32BE(size, 1);
    prepend(reply, framed, PREFIX_BYTES + size);
    return framed;
  }

  return [`/${KvService.typeName}/${name}`, { name: `${KvService.typeName}/${name}`, serve }];
}

/** By the path of the request. */
export const hotMethodByPath: ReadonlyMap<string, HotMethod> = new Map([
  hotMethod<GetFields, GetResponseShape>(
    KvService.method.get,
    { read: readGetRequest, sizeOf: sizeOfGetResponse, prepend: prependGetResponse },
    async (store, request, call) => {
      const { entry, revision } = await get(store, request, call);
      return { entry: optionalShape(entry), revision };
    },
  ),
  hotMethod<PutFields, PutResponseShape>(
    KvService.method.put,
    { read: readPutRequest, sizeOf: sizeOfPutResponse, prepend: prependPutResponse },
    async (store, request, call) => {
      const { revision, previous } = await put(store, request, call);
      return { revision, previous: optionalShape(previous) };
    },
  ),
  hotMethod<DeleteFields, DeleteResponseShape>(
    KvService.method.delete,
    { read: readDeleteRequest, sizeOf: sizeOfDeleteResponse, prepend: prependDeleteResponse },
    async (store, request, call) => {
      const { revision, deleted, previous } = await deleteKey(store, request, call);
      return { revision, deleted, previous: optionalShape(previous) };
    },
  ),
  hotMethod(
    KvService.method.exists,
    { read: readExistsRequest, sizeOf: sizeOfExistsResponse, prepend: prependExistsResponse },
    exists,
  ),
  hotMethod<ScanFields, ScanResponseShape>(
    KvService.method.scan,
    { read: readScanRequest, sizeOf: sizeOfScanResponse, prepend: prependScanResponse },
    async (store, request, call) => {
      const { entries, nextPageToken, count, revision, incarnation } = await scan(store, request, call);
      return { entries: entries.map(entryShape), nextPageToken, count, revision, incarnation };
    },
  ),
  hotMethod<IncrementFields, IncrementResponseShape>(
    KvService.method.increment,
    { read: readIncrementRequest, sizeOf: sizeOfIncrementResponse, prepend: prependIncrementResponse },
    increment,
  ),
]);

function optionalShape(entry: Entry | undefined): ReturnType<typeof entryShape> | undefined {
  return entry === undefined ? undefined : entryShape(entry);
}
