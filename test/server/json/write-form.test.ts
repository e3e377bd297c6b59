/** The JSON of entries, events and results: written in pieces as `JSON.stringify` writes it, which is the judge here. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverFixed } from '../../../src/limits.ts';
import { entryJson, eventJson, valueJson } from '../../../src/api-json.ts';
import { JsonText } from '../../../src/server/json/json-text.ts';
import { writeForm } from '../../../src/server/json/write-form.ts';

const { jsonPieceBytes, jsonLongValueBytes } = serverFixed;

function piecesOf(form: unknown): Buffer[] {
  const text = new JsonText();
  writeForm(form, text);
  text.end();
  const pieces: Buffer[] = [];
  for (let piece = text.take(); piece !== undefined; piece = text.take()) pieces.push(piece);
  expect(text.heldBytes).toBe(0);
  return pieces;
}

function written(form: unknown): string {
  return Buffer.concat(piecesOf(form)).toString();
}

test('a form is written as JSON.stringify writes it', () => {
  const value = fc
    .oneof(
      fc.uint8Array({ maxLength: 3 * jsonLongValueBytes }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    )
    .map(valueJson);
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null), value),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.string(), fc.option(tie('tree'), { nil: undefined }), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(fc.array(tree), (form) => {
      expect(written(form)).toBe(JSON.stringify(form));
    }),
  );
});

describe('a long value', () => {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

  test.each([
    ['of characters of one to four bytes', Buffer.from('aé漢\u{1f600}"\\\n'.repeat(70_000))],
    ['that escapes make six times as long', Buffer.alloc(300_000)],
    ['that begins with a mark of byte order', Buffer.from(`\ufeff${'b'.repeat(2000)}`)],
    ['that is not UTF-8', Buffer.alloc(jsonPieceBytes * 2 + 1, everyByte)],
    ['whose last character is cut', Buffer.concat([Buffer.alloc(2000, 'a'), Buffer.from([0xc3])])],
  ])('%s is the same in pieces', (_, bytes) => {
    const form = { value: valueJson(bytes) };
    expect(written(form)).toBe(JSON.stringify(form));
    for (const piece of piecesOf(form)) expect(piece.length).toBeLessThanOrEqual(jsonPieceBytes * 2);
  });
});

test('what is absent is left out, and bytes that are no text are marked', () => {
  const entry = {
    key: '',
    keyBytes: Uint8Array.of(0xff),
    value: Uint8Array.of(0xfe),
    createRevision: 1,
    modRevision: 2,
    version: 2,
    leaseId: 0,
    expireTimeMs: 0,
  };
  const numbers = '"createRevision":1,"modRevision":2,"version":2';
  expect(written(entryJson(entry))).toBe(`{"key":"","keyBytes":"/w==","value":{"base64":"/g=="},${numbers}}`);
  expect(written(entryJson({ ...entry, leaseId: 5, expireTimeMs: 1000 }, false))).toBe(
    `{"key":"","keyBytes":"/w==",${numbers},"leaseId":5,"expireTime":"1970-01-01T00:00:01.000Z"}`,
  );
  expect(written(eventJson({ type: 'put', entry, previous: undefined, replacedExpired: true }, false))).toBe(
    `{"type":"put","entry":{"key":"","keyBytes":"/w==",${numbers}},"replacedExpired":true}`,
  );
});
