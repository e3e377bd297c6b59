/**
 * The target in the first line of a request: RFC 9112, section 3.2. It is a path with perhaps a query (origin-form), or
 * the same behind `http://HOST` (absolute-form), as clients send it that take the server for a proxy; what is served
 * does not depend on the host, but for what the guard of web pages refuses.
 */
import type { HttpRequest } from './http-message.ts';

const ORIGIN_FORM = /^\/[^#]*$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#@]+)(\/[^?#]*)?(\?[^#]*)?$/i;

/** Path and query; `undefined` when the target has neither form. */
export function originForm(target: string | undefined): string | undefined {
  if (target === undefined || ORIGIN_FORM.test(target)) return target;
  const parts = ABSOLUTE_FORM.exec(target);
  // The expression does not look into the host.
  if (parts === null || !URL.canParse(target)) return undefined;
  const [, , path = '/', query = ''] = parts;
  return path + query;
}

/** The host of a target in absolute form, which comes before that of the header; `undefined` for any other. */
export function hostOf(target: string | undefined): string | undefined {
  if (target === undefined || target.startsWith('/') || originForm(target) === undefined) return undefined;
  return ABSOLUTE_FORM.exec(target)?.[1];
}

/** The path alone; empty when there is none. */
export function pathOf(request: HttpRequest): string {
  return originForm(request.url)?.split('?', 1)[0] ?? '';
}
