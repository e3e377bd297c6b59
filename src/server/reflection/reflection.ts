/**
 * `grpc.reflection.v1` and `v1alpha`: tells grpcurl, `buf curl` and the like the schema, so that they need no files.
 * The two versions differ in nothing but their package.
 */
import { Code, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type {
  ServerReflection,
  ServerReflectionRequest,
} from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import type {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionRequest as ServerReflectionRequestAlpha,
} from '../../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import type { Call } from '../calls/call.ts';
import { untilAborted } from '../../until-aborted.ts';
import type { DescriptorIndex } from './descriptor-index.ts';

type Request = ServerReflectionRequest | ServerReflectionRequestAlpha;
/** A question and an answer without the types of a version, so that they fit both. */
type Question =
  | {
      case: 'listServices' | 'fileByFilename' | 'fileContainingSymbol' | 'allExtensionNumbersOfType';
      value: string;
    }
  | { case: 'fileContainingExtension'; value: { containingType: string; extensionNumber: number } }
  | { case: undefined };
type Answer =
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string } }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

/** @param callOf the call that a request belongs to: its replies are charged to it before they are made. */
export function reflectionService(
  index: DescriptorIndex,
  callOf: (context: HandlerContext) => Pick<Call, 'chargeReply' | 'releaseReply'>,
): ServiceImpl<typeof ServerReflection> & ServiceImpl<typeof ServerReflectionAlpha> {
  return {
    async *serverReflectionInfo(requests: AsyncIterable<Request>, context: HandlerContext) {
      const call = callOf(context);
      for await (const { host, messageRequest } of untilAborted(requests, context.signal)) {
        const messageResponse = answer(messageRequest, index);
        call.chargeReply(answerBytes(messageResponse));
        yield {
          validHost: host,
          originalRequest: { host, messageRequest: plain(messageRequest) },
          messageResponse,
        };
        // Asked for more: this one is written.
        call.releaseReply();
      }
    },
  };
}

function plain(messageRequest: Request['messageRequest']): Question {
  if (messageRequest.case !== 'fileContainingExtension') {
    return messageRequest;
  }
  const { containingType, extensionNumber } = messageRequest.value;
  return { case: 'fileContainingExtension', value: { containingType, extensionNumber } };
}

function answer(messageRequest: Request['messageRequest'], index: DescriptorIndex): Answer {
  switch (messageRequest.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: index.serviceNames.map((name) => ({ name })) },
      };
    case 'fileByFilename':
      return files(index.filesByName(messageRequest.value), `no file "${messageRequest.value}"`);
    case 'fileContainingSymbol':
      return files(index.filesBySymbol(messageRequest.value), `no symbol "${messageRequest.value}"`);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = messageRequest.value;
      return failure(Code.NotFound, `no extension ${extensionNumber} of "${containingType}"`);
    }
    case 'allExtensionNumbersOfType':
      // The schema has no extensions, so those of a known message are none.
      return index.isMessage(messageRequest.value)
        ? { case: 'allExtensionNumbersResponse', value: { baseTypeName: messageRequest.value } }
        : failure(Code.NotFound, `no message "${messageRequest.value}"`);
    case undefined:
      return failure(Code.InvalidArgument, 'the request asks for nothing that is known');
  }
}

/** What is long in an answer: the files, which are the index's own until they are sent. */
function answerBytes(answer: Answer): number {
  if (answer.case !== 'fileDescriptorResponse') return 0;
  return answer.value.fileDescriptorProto.reduce((bytes, file) => bytes + file.length, 0);
}

function files(fileDescriptorProto: Uint8Array[] | undefined, missing: string): Answer {
  if (fileDescriptorProto === undefined) return failure(Code.NotFound, missing);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
