/** What the span of a call by gRPC or Connect says: OpenTelemetry's conventions for servers of RPC. */
import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';
import { DB_SYSTEM, type RpcSystem, attribute, statusText } from '../../tracing/attributes.ts';
import type { CallKind } from './call-span.ts';

/** What is called by its name in a span: another could be anything, of which there must not be any number. */
const OTHER_METHOD = '_OTHER';

/** Of the server, not of its client: what it answers otherwise is an answer as any ("Semantic conventions for gRPC"). */
const serverFaults: ReadonlySet<string> = new Set([
  'Unknown',
  'DeadlineExceeded',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
]);

export class RpcKind implements CallKind {
  readonly name: string;
  readonly attributes: Attributes;
  readonly #system: RpcSystem;

  /** @param method as `kelp.v1.KvService/Get`; `undefined`: there is no such method. */
  constructor(system: RpcSystem, method: string | undefined, more?: Attributes) {
    this.#system = system;
    this.name = method ?? system;
    this.attributes = {
      [attribute.RPC_SYSTEM]: system,
      [attribute.RPC_METHOD]: method ?? OTHER_METHOD,
      [attribute.DB_SYSTEM]: DB_SYSTEM,
      ...more,
    };
  }

  ended(span: Span, outcome = 'Canceled'): void {
    const text = statusText(this.#system, outcome);
    if (text !== undefined) span.setAttribute(attribute.RPC_STATUS, text);
    if (outcome === 'Ok') return;
    span.setAttribute(attribute.ERROR_TYPE, text ?? outcome);
    if (serverFaults.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
