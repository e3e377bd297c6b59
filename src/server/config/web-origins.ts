/**
 * Origins of web pages, as browsers write them (RFC 6454, section 6.2): scheme, host and port, without the port that the scheme
 * implies, such as `https://app.example.com` or `http://localhost:3000`.
 */
import { OptionError } from './option-values.ts';

/** Stands for every origin, `null` included. */
export const ANY_ORIGIN = '*';

/** Of an option that takes several: separated by commas. An empty text is none. */
export function parseOrigins(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== '').map(parseOrigin))];
}

function parseOrigin(text: string): string {
  if (text === ANY_ORIGIN) return text;
  if (text === 'null') {
    throw new OptionError(
      'null is the origin of any page in a sandbox or a file; serve the page from an origin of its ' +
        'own, or allow all origins by *',
    );
  }
  const origin = originOf(text);
  if (origin === undefined) {
    throw new OptionError(
      `expected origins such as https://app.example.com or http://localhost:3000, without a path, or *, not "${text}"`,
    );
  }
  return origin;
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\,*]+$/i;

/** In the form of browsers; `undefined` for what is no origin, and for `null`. */
export function originOf(text: string): string | undefined {
  if (!ORIGIN.test(text) || !URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  // Schemes that are none of the web, such as those of browser extensions, have no origin in the eyes of `URL`.
  return origin === 'null' ? text.toLowerCase() : origin;
}
