/**
 * One JSON document:
 *
 *     {"version":1,"timestamp":"2026-11-26T12:00:00.000Z","data":{
 *     "greeting":"hello",
 *     "photo":{"base64":"AAEC"}
 *     },"binaryData":{
 *     "/wE=":"a key that is not UTF-8, in base64"
 *     }}
 *
 * `data` has the keys that are text, to the letter; what may stand behind one shows `entry-json.ts`. A key that is no
 * text has no name in JSON that no other key has, so those stand in an object of their own, which is left out when there are
 * none. Members come in any order; other programs sort them.
 */
import type { Key } from '../../api.ts';
import { unknownName } from '../../arguments/check.ts';
import { transfer as limits } from '../../limits.ts';
import type { EmitEntry } from '../contract/entry.ts';
import { keyOfBase64, keyOfText, readMember } from './entry-json.ts';
import { END, type JsonReader, type Reading, mark } from './json-reader.ts';

export const DOCUMENT_VERSION = 1;

export const documentNames = ['version', 'timestamp', 'data', 'binaryData'];

export function* readJsonDocument(reader: JsonReader, emit: EmitEntry, nowMs: () => number): Reading<void> {
  const seen = new Set<string>();
  const entries = (name: string, keyOf: (text: string) => Key): Reading<void> => {
    let before: string | undefined;
    return reader.object(`the object "${name}"`, function* (text) {
      // Any other repetition is found where batches are put together, if at all: to remember all keys takes memory without bounds.
      if (text === before) throw reader.fault(`the key ${JSON.stringify(text)} twice`);
      before = text;
      emit(yield* readMember(reader, keyOf(text), nowMs));
    });
  };
  yield* reader.object('a document', function* (name) {
    if (seen.has(name)) throw reader.fault(`"${name}" twice`);
    seen.add(name);
    if (name === 'version') yield* readVersion(reader);
    else if (name === 'timestamp') yield* readTimestamp(reader);
    else if (name === 'data') yield* entries(name, (text) => keyOfText(reader, text));
    else if (name === 'binaryData') yield* entries(name, (text) => keyOfBase64(reader, text));
    else throw reader.fault(`a document${unknownName(name, 'member', documentNames)}`);
  });
  for (const name of ['version', 'data']) {
    if (!seen.has(name)) throw reader.fault(`a document without "${name}"`);
  }
  if ((yield* reader.peek()) !== END) throw reader.faultHere('more behind the end of the document');
}

function* readVersion(reader: JsonReader): Reading<void> {
  const version = yield* reader.wholeNumber('a whole number as the version');
  if (version === DOCUMENT_VERSION) return;
  throw reader.fault(`version ${version}; this program reads version ${DOCUMENT_VERSION}`);
}

/** Others write a number, or other forms of time; it means nothing to an import. */
function* readTimestamp(reader: JsonReader): Reading<void> {
  if ((yield* reader.peek()) === mark.quote) yield* reader.text('a timestamp', limits.nameBytesMax);
  else yield* reader.literal('a text or number as the timestamp');
}
