/**
 * What the span of a call by plain HTTP says: OpenTelemetry's conventions for servers of HTTP, but for the path and the query of its
 * target, in which there are keys.
 */
import { type Attributes, type Span, SpanStatusCode } from '@opentelemetry/api';
import { DB_SYSTEM, attribute } from '../../tracing/attributes.ts';
import type { CallKind } from './call-span.ts';

/** Any other is named so: a client could send any number of them. */
const OTHER_METHOD = '_OTHER';
const knownMethods: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

const SERVER_FAULT_MIN = 500;
const FAULT_MIN = 400;

export class HttpKind implements CallKind {
  readonly name: string;
  readonly attributes: Attributes;
  readonly #response: { readonly statusCode: number };

  /** @param route as `/v1/keys/{key}`. */
  constructor(method: string | undefined, route: string, response: { readonly statusCode: number }) {
    const known = method !== undefined && knownMethods.has(method) ? method : undefined;
    this.#response = response;
    this.name = `${known ?? 'HTTP'} ${route}`;
    this.attributes = {
      [attribute.HTTP_METHOD]: known ?? OTHER_METHOD,
      [attribute.HTTP_ROUTE]: route,
      [attribute.DB_SYSTEM]: DB_SYSTEM,
    };
  }

  ended(span: Span, outcome = 'Canceled'): void {
    const { statusCode } = this.#response;
    if (outcome === 'Canceled') {
      span.setAttribute(attribute.ERROR_TYPE, outcome);
      return;
    }
    span.setAttribute(attribute.HTTP_STATUS, statusCode);
    if (statusCode >= FAULT_MIN) span.setAttribute(attribute.ERROR_TYPE, String(statusCode));
    if (statusCode >= SERVER_FAULT_MIN) span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
