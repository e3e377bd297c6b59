/**
 * The fields of a request as it is passed on: as they came, but for those that are between two ends of a connection (RFC 9110, section
 * 7.6.1) and those by which the guard of web pages has let it in, which is done with that.
 */
import type { Field, RequestHead } from '../../http2/contract/fields.ts';
import type { IncomingHttpHeaders } from 'node:http';
import {
  FORWARDED_CERTIFICATE_HEADER,
  FORWARDED_FOR_HEADER,
  FORWARDED_HEADER,
  NODE_TOKEN_HEADER,
} from '../access/forwarded-client.ts';
import { isFieldName, isFieldValue } from '../../http2/contract/field-syntax.ts';

const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'origin',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  FORWARDED_HEADER,
  NODE_TOKEN_HEADER,
  FORWARDED_FOR_HEADER,
  FORWARDED_CERTIFICATE_HEADER,
]);

/** What a request is, wherever it came from. */
export interface ForwardedHead {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly Field[];
}

/** @param authority of the writer. @param client what it is told of the client. */
export function forwardedFields(
  { method, path, fields }: ForwardedHead,
  authority: string,
  hasTls: boolean,
  client: readonly Field[],
): readonly Field[] {
  return [
    [':method', method],
    [':scheme', hasTls ? 'https' : 'http'],
    [':path', path],
    [':authority', authority],
    ...fields.filter(isPassedOn),
    [FORWARDED_HEADER, '1'],
    ...client,
  ];
}

function isPassedOn([name, value]: Field): boolean {
  if (LEFT_OUT.has(name) || name.startsWith('sec-fetch-')) return false;
  if (name === 'te') return value === 'trailers';
  return isFieldName(name) && isFieldValue(value);
}

/** The fields of a request of HTTP/1.1, or of one in its form. */
export function fieldsOfHeaders(headers: IncomingHttpHeaders): readonly Field[] {
  const { connection = '' } = headers;
  const ofConnection = new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
  return Object.entries(headers).flatMap(([name, value]): Field[] => {
    if (value === undefined || ofConnection.has(name)) return [];
    return typeof value === 'string' ? [[name, value]] : value.map((each): Field => [name, each]);
  });
}

export function isForwarded({ fields }: Pick<RequestHead, 'fields'>): boolean {
  return fields.some(([name]) => name === FORWARDED_HEADER);
}
