/**
 * Makes heads and trailers out of the fields of header blocks, and refuses what RFC 9113, section 8, calls malformed: that is a
 * fault of the stream (RST_STREAM with PROTOCOL_ERROR), never of the connection.
 *
 * What is wrong with a field by itself is found out once for each `HeaderField`, so that fields which come by an index cost a
 * look at a number.
 */
import { isFieldName, isFieldValue, isToken } from '../contract/field-syntax.ts';
import type { Field, RequestHead, ResponseHead } from '../contract/fields.ts';
import type { HeaderField } from '../hpack/tables.ts';

/** Why a header block gives no head. */
export class HeadFault {
  /** `malformed`: against the protocol. `listTooLong`: more than this side takes, and nothing is known of it but its content type. */
  readonly kind: 'malformed' | 'listTooLong';
  readonly text: string;
  /** Of a list that is too long, if it has one. */
  readonly contentType: string | undefined;

  constructor(kind: HeadFault['kind'], text: string, contentType?: string) {
    this.kind = kind;
    this.text = text;
    this.contentType = contentType;
  }
}

export function listTooLong(contentType: string | undefined): HeadFault {
  return new HeadFault('listTooLong', 'The header fields are longer than allowed', contentType);
}

/** Makes something out of the fields of a block. */
export type HeadOf<Head> = (fields: readonly HeaderField[]) => Head | HeadFault;

/** What a field is; those below `PSEUDO_MAX` are pseudo-headers, those from `REFUSED_MIN` on are never allowed. */
const verdict = {
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  STATUS: 5,
  ORDINARY: 6,
  HOST: 7,
  CONTENT_LENGTH: 8,
  NAME: 9,
  VALUE: 10,
  UNKNOWN_PSEUDO: 11,
  CONNECTION: 12,
  TE: 13,
} as const;
type Verdict = (typeof verdict)[keyof typeof verdict];
const PSEUDO_MAX = verdict.STATUS;
const REFUSED_MIN = verdict.NAME;

const faultByVerdict = new Map<number, HeadFault>([
  [verdict.NAME, malformed('The name of a field has upper case or characters that no name has')],
  [verdict.VALUE, malformed('The value of a field has control characters or white space around it')],
  [verdict.UNKNOWN_PSEUDO, malformed('There is no such pseudo-header')],
  [verdict.CONNECTION, malformed('A field that speaks of the connection has no place in HTTP/2')],
  [verdict.TE, malformed('te says something else than trailers')],
]);
const faults = {
  PSEUDO_LATE: malformed('A pseudo-header comes after another field'),
  PSEUDO_TWICE: malformed('A pseudo-header comes twice'),
  PSEUDO_IN_TRAILERS: malformed('There is a pseudo-header among trailers'),
  PSEUDO_OF_RESPONSE: malformed(':status in a request'),
  PSEUDO_OF_REQUEST: malformed('A pseudo-header of requests in a response'),
  METHOD: malformed(':method is missing or no token'),
  SCHEME: malformed(':scheme is missing or no scheme'),
  PATH: malformed(':path is missing, empty or no path'),
  AUTHORITY: malformed(':authority or host is no authority'),
  CONNECT: malformed('CONNECT needs :authority, and neither :scheme nor :path'),
  HOST: malformed('host differs from :authority or comes twice'),
  CONTENT_LENGTH: malformed('content-length is no number, or comes with several'),
  STATUS: malformed(':status is missing or no status of HTTP/2'),
} as const;

/** RFC 9113, section 8.2.2. */
const connectionNames: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const pseudoVerdicts: ReadonlyMap<string, Verdict> = new Map([
  [':method', verdict.METHOD],
  [':scheme', verdict.SCHEME],
  [':authority', verdict.AUTHORITY],
  [':path', verdict.PATH],
  [':status', verdict.STATUS],
]);

const schemeForm = /^[a-zA-Z][a-zA-Z0-9+.-]*$/;
/** No white space, and nothing that begins another part of a URI; `@` would be the end of a user's name. */
const authorityForm = /^[^\s/?#@]*$/;
/** What clients of gRPC in Go send that were told to dial a URL, as etcdctl does for some of its calls; its scheme is left out. */
const dialedForm = /^https?:\/\/([^\s/?#@]+)$/;
const pathForm = /^[^\s#]+$/;
const contentLengthForm = /^\d{1,15}$/;
const statusForm = /^[1-9]\d\d$/;

/** There is no Switching Protocols in HTTP/2 (RFC 9113, section 8.6). */
const SWITCHING_PROTOCOLS = 101;

export function toRequestHead(fields: readonly HeaderField[]): RequestHead | HeadFault {
  let method: string | undefined;
  let scheme: string | undefined;
  let authority: string | undefined;
  let path: string | undefined;
  let host: string | undefined;
  let contentLength: number | undefined;
  const rest: Field[] = [];
  for (const field of fields) {
    const kind = verdictOf(field);
    if (kind >= REFUSED_MIN) return faultByVerdict.get(kind)!;
    if (kind > PSEUDO_MAX) {
      rest.push(field.pair);
      if (kind === verdict.HOST) {
        if (host !== undefined) return faults.HOST;
        host = field.value;
      } else if (kind === verdict.CONTENT_LENGTH) {
        const length = contentLengthOf(field, contentLength);
        if (length === undefined) return faults.CONTENT_LENGTH;
        contentLength = length;
      }
      continue;
    }
    if (rest.length > 0) return faults.PSEUDO_LATE;
    switch (kind) {
      case verdict.METHOD:
        if (method !== undefined) return faults.PSEUDO_TWICE;
        method = field.value;
        break;
      case verdict.SCHEME:
        if (scheme !== undefined) return faults.PSEUDO_TWICE;
        scheme = field.value;
        break;
      case verdict.AUTHORITY:
        if (authority !== undefined) return faults.PSEUDO_TWICE;
        authority = field.value;
        break;
      case verdict.PATH:
        if (path !== undefined) return faults.PSEUDO_TWICE;
        path = field.value;
        break;
      default:
        return faults.PSEUDO_OF_RESPONSE;
    }
  }

  if (method === undefined || !isToken(method)) return faults.METHOD;
  if (method === 'CONNECT') {
    if (scheme !== undefined || path !== undefined || !authority) return faults.CONNECT;
  } else {
    if (scheme === undefined || !schemeForm.test(scheme)) return faults.SCHEME;
    if (path === undefined || !isPath(path, scheme, method)) return faults.PATH;
  }
  if (authority?.startsWith('http')) authority = dialedForm.exec(authority)?.[1] ?? authority;
  if (authority === undefined) authority = host ?? '';
  else if (host !== undefined && authority.toLowerCase() !== host.toLowerCase()) return faults.HOST;
  if (!authorityForm.test(authority)) return faults.AUTHORITY;
  return {
    method,
    scheme: scheme ?? '',
    authority,
    path: path ?? '',
    contentLength,
    fields: rest,
    memo: undefined,
  };
}

export function toResponseHead(fields: readonly HeaderField[]): ResponseHead | HeadFault {
  let status: number | undefined;
  let contentLength: number | undefined;
  const rest: Field[] = [];
  for (const field of fields) {
    const kind = verdictOf(field);
    if (kind >= REFUSED_MIN) return faultByVerdict.get(kind)!;
    if (kind > PSEUDO_MAX) {
      rest.push(field.pair);
      if (kind !== verdict.CONTENT_LENGTH) continue;
      const length = contentLengthOf(field, contentLength);
      if (length === undefined) return faults.CONTENT_LENGTH;
      contentLength = length;
      continue;
    }
    if (rest.length > 0) return faults.PSEUDO_LATE;
    if (kind !== verdict.STATUS) return faults.PSEUDO_OF_REQUEST;
    if (status !== undefined) return faults.PSEUDO_TWICE;
    if (!statusForm.test(field.value)) return faults.STATUS;
    status = Number(field.value);
  }
  if (status === undefined || status === SWITCHING_PROTOCOLS) return faults.STATUS;
  return { status, contentLength, fields: rest, memo: undefined };
}

export function toTrailers(fields: readonly HeaderField[]): readonly Field[] | HeadFault {
  const result: Field[] = [];
  for (const field of fields) {
    const kind = verdictOf(field);
    if (kind >= REFUSED_MIN) return faultByVerdict.get(kind)!;
    if (kind <= PSEUDO_MAX) return faults.PSEUDO_IN_TRAILERS;
    result.push(field.pair);
  }
  return result;
}

function verdictOf(field: HeaderField): number {
  if (field.verdict === 0) field.verdict = judge(field);
  return field.verdict;
}

function judge({ name, value }: HeaderField): Verdict {
  if (!isFieldValue(value)) return verdict.VALUE;
  if (name.startsWith(':')) return pseudoVerdicts.get(name) ?? verdict.UNKNOWN_PSEUDO;
  if (!isFieldName(name)) return verdict.NAME;
  if (connectionNames.has(name)) return verdict.CONNECTION;
  switch (name) {
    case 'host':
      return verdict.HOST;
    case 'content-length':
      return verdict.CONTENT_LENGTH;
    case 'te':
      return value.toLowerCase() === 'trailers' ? verdict.ORDINARY : verdict.TE;
    default:
      return verdict.ORDINARY;
  }
}

/** One that comes again with the same number is the same (RFC 9110, section 8.6). */
function contentLengthOf({ value }: HeaderField, before: number | undefined): number | undefined {
  if (!contentLengthForm.test(value)) return undefined;
  const length = Number(value);
  return before === undefined || before === length ? length : undefined;
}

/** Those of http and https begin with a slash, or ask by OPTIONS about the whole server (RFC 9113, section 8.3.1). */
function isPath(path: string, scheme: string, method: string): boolean {
  if (!pathForm.test(path)) return false;
  if (path.startsWith('/')) return true;
  if (path === '*') return method === 'OPTIONS';
  const lowerCase = scheme.toLowerCase();
  return lowerCase !== 'http' && lowerCase !== 'https';
}

function malformed(text: string): HeadFault {
  return new HeadFault('malformed', text);
}
