/** Bytes and numbers as people read them. */

/** `undefined`: it is not UTF-8. */
export function asText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** In two-space steps; `undefined`: it is no JSON. Numbers keep their digits, since a value is shown and not changed. */
export function asJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return indented(text);
}

/** The text of a JSON document with line breaks where JSON.stringify makes them, token by token. */
function indented(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const parts: string[] = [];
  let depth = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  for (const [index, token] of tokens.entries()) {
    const isEmptyNext = tokens[index + 1] === (token === '{' ? '}' : ']');
    if (token === '{' || token === '[') {
      depth++;
      parts.push(token, isEmptyNext ? '' : line());
    } else if (token === '}' || token === ']') {
      depth--;
      const isEmpty = tokens[index - 1] === (token === '}' ? '{' : '[');
      parts.push(isEmpty ? '' : line(), token);
    } else if (token === ',') parts.push(token, line());
    else if (token === ':') parts.push(': ');
    else parts.push(token);
  }
  return parts.join('');
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Spaces may stand anywhere; `undefined`: these are no whole bytes. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[\da-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const ROW_BYTES = 16;

/** Lines of an offset, sixteen bytes, and their characters where they are ASCII. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += ROW_BYTES) {
    const row = bytes.subarray(offset, offset + ROW_BYTES);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const characters = Array.from(row, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
    );
    lines.push(
      `${offset.toString(16).padStart(8, '0')}  ${digits.padEnd(3 * ROW_BYTES - 1)}  ${characters.join('')}`,
    );
  }
  return lines.join('\n');
}

/** A short form of bytes for one line: text in quotes, or digits. */
export function brief(bytes: Uint8Array, charactersMax = 200): string {
  const text =
    asText(bytes.subarray(0, 4 * charactersMax)) ??
    (bytes.length > 4 * charactersMax ? looseText(bytes.subarray(0, 4 * charactersMax)) : undefined);
  const whole = text ?? `0x${toHex(bytes.subarray(0, charactersMax))}`;
  return whole.length > charactersMax || bytes.length > 4 * charactersMax
    ? `${whole.slice(0, charactersMax)}…`
    : whole;
}

/** Text whose last character may be cut; `undefined`: it is none. */
function looseText(bytes: Uint8Array): string | undefined {
  for (let cut = 0; cut < 4; cut++) {
    const text = asText(bytes.subarray(0, bytes.length - cut));
    if (text !== undefined) return text;
  }
  return undefined;
}

const numbers = new Intl.NumberFormat('en');

export function formatCount(count: number | bigint): string {
  return numbers.format(count);
}

export function formatBytes(bytes: number | bigint): string {
  let size = Number(bytes);
  for (const unit of ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']) {
    if (size < 1024 || unit === 'TiB')
      return `${unit === 'bytes' || size >= 100 ? Math.round(size) : size.toFixed(1)} ${unit}`;
    size /= 1024;
  }
  return '';
}

/** As `3 d 4 h`, `2 h 5 min`, `1 min 30 s`, `12 s`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

const msByUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time such as `90s`, `1h30m` or `7d`; `undefined`: it is none. */
export function parseSpanMs(text: string): number | undefined {
  const compact = text.replace(/\s+/g, '');
  if (!/^(?:\d{1,12}(?:ms|[smhd]))+$/.test(compact)) return undefined;
  const parts = [...compact.matchAll(/(\d+)(ms|[smhd])/g)];
  return parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (msByUnit[unit ?? ''] ?? Number.NaN),
    0,
  );
}
