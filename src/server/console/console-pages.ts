/**
 * `GET /console`: the page by which people look at the store in a browser. The page itself is no secret and has no rights: each call
 * that it makes has to show a login as any other client's does.
 *
 * It runs only what the server gives it, and reaches nothing else: its `Content-Security-Policy` has no `unsafe-inline`, and no other
 * origin. A page of another site can't have it in a frame.
 */
import type { ListenAddress } from '../config/option-values.ts';
import { isLoopbackAddress } from '../config/loopback-address.ts';
import type { ConsoleChoice } from '../config/config.ts';
import { isReading, sendJson } from '../health/probes.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { pathOf } from '../http/request-target.ts';
import { type ConsoleFile, plainBytes, readConsoleFiles } from './console-files.ts';

/** Where it is, with all below it. */
export const CONSOLE_PATH = '/console';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Whether a server that listens there has the console. */
export function isConsoleOn(choice: ConsoleChoice, bound: ListenAddress): boolean {
  if (choice !== 'auto') return choice === 'on';
  return 'path' in bound || isLoopbackAddress(bound.host);
}

export class ConsolePages {
  readonly #isOn: () => boolean;
  readonly #files: ReadonlyMap<string, ConsoleFile> | undefined;

  /**
   * @param folder with the built files; `undefined`: there are none.
   * @param isOn asked for each request, since where the server listens is known only after it was made.
   */
  constructor(folder: string | undefined, isOn: () => boolean) {
    this.#files = folder === undefined ? undefined : readConsoleFiles(folder);
    this.#isOn = isOn;
  }

  get isServed(): boolean {
    return this.#files !== undefined && this.#isOn();
  }

  /** @returns false when the request is for something else. */
  answer(request: HttpRequest, response: HttpResponse): boolean {
    const path = pathOf(request);
    if (path !== CONSOLE_PATH && !path.startsWith(`${CONSOLE_PATH}/`)) return false;
    if (!isReading(request, response, CONSOLE_PATH)) return true;
    if (!this.#isOn()) {
      sendJson(response, 404, { message: 'the console is off here; start the server with --console on' });
    } else if (this.#files === undefined) {
      sendJson(response, 404, {
        message:
          "the console was not built, or the server's user may not read it; npm run build -- console builds it",
      });
    } else {
      this.#sendFile(request, response, path.slice(CONSOLE_PATH.length + 1) || 'index.html');
    }
    return true;
  }

  #sendFile({ method, headers }: HttpRequest, response: HttpResponse, name: string): void {
    const file = this.#files?.get(name);
    if (file === undefined) {
      sendJson(response, 404, { message: 'the console has no such file' });
      return;
    }
    const { contentType, etag, isNamedByContent } = file;
    const common = {
      ...SECURITY_HEADERS,
      etag,
      vary: 'Accept-Encoding',
      'cache-control': isNamedByContent ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
    };
    if (isKnown(headers['if-none-match'], etag)) {
      response.writeHead(304, common);
      response.end();
      return;
    }
    const isZipped = takesGzip(headers['accept-encoding']);
    const body = isZipped ? file.zipped : plainBytes(file);
    response.writeHead(200, {
      ...common,
      'content-type': contentType,
      'content-length': String(body.length),
      ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    });
    if (method === 'HEAD') response.end();
    else response.end(body);
  }
}

/** By the weak comparison of RFC 9110, section 8.8.3.2; what is no list of tags names none. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag));
}

function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  const codings = String(acceptEncoding ?? '')
    .toLowerCase()
    .split(',');
  return codings.some((coding) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?:1|0?\.0*[1-9])[\d.]*\s*)?$/.test(coding));
}
