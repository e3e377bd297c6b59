/** Methods of etcd's API that mean nothing for a store of one member: each is `Unimplemented`, with a text that says what there is instead. */
import type { DescMethodServerStreaming, DescMethodUnary } from '@bufbuild/protobuf';
import { checkUser } from '../../access/checks.ts';
import { grpcCode } from '../../grpc-code.ts';
import { StatusError } from '../calls/call-error.ts';
import {
  type Codecs,
  type ServerStreamMethod,
  type UnaryMethod,
  serverStream,
  unaryAnywhere,
} from '../services/method.ts';

/** @param instead what to do, or why there is nothing to do: the text of the error. */
export function notServed<Request, Reply>(
  desc: DescMethodUnary,
  codecs: Codecs<Request, Reply>,
  instead: string,
): UnaryMethod<Request, Reply> {
  return unaryAnywhere(desc, codecs, checkUser, () => {
    throw notServedError(instead);
  });
}

/** As `notServed`, of a method that would answer by a stream. */
export function streamNotServed<Request, Reply>(
  desc: DescMethodServerStreaming,
  codecs: Codecs<Request, Reply>,
  instead: string,
): ServerStreamMethod<Request, Reply> {
  return serverStream(
    desc,
    codecs,
    'anywhere',
    () => checkUser,
    () => {
      throw notServedError(instead);
    },
  );
}

export function notServedError(instead: string): StatusError {
  return new StatusError(grpcCode.Unimplemented, instead);
}
