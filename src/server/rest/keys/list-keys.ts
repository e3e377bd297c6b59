/** `GET /v1/keys`: a page of a range, in JSON. */
import { checkRange } from '../../../access/checks.ts';
import type { Entry, Key, KeyRange, ScanPage } from '../../../api.ts';
import { entryJson } from '../../../api-json.ts';
import { serverFixed } from '../../../limits.ts';
import { JsonText } from '../../json/json-text.ts';
import { writeForm } from '../../json/write-form.ts';
import { entriesBytes, pageCharge } from '../../services/reply-entries.ts';
import { checkReadDemand } from '../../services/read-demand.ts';
import { operation } from '../operation.ts';
import {
  demandIn,
  flagParameter,
  keyParameter,
  readParameters,
  textParameter,
  wholeNumberParameter,
} from '../query.ts';
import { JSON_REPLY_COPIES, sendPieces } from '../replies/json-reply.ts';

export const listKeys = operation({
  method: 'GET',
  template: '/v1/keys',
  countsAs: 'Scan',
  runsAt: 'caughtUp',
  query: {
    prefix: keyParameter,
    start: keyParameter,
    end: keyParameter,
    match: textParameter,
    limit: wholeNumberParameter,
    page_token: textParameter,
    revision: wholeNumberParameter,
    keys_only: flagParameter,
    reverse: flagParameter,
    ...readParameters,
  },
  needs: (login, _, bounds) => checkRange(login, 'read', rangeOf(bounds)),
  async run(call, { prefix, start, end, ...options }) {
    const { match, limit = 0, page_token: pageToken = '', revision = 0 } = options;
    const { keys_only: keysOnly = false, reverse = false } = options;
    checkReadDemand(call.store, demandIn(options));
    call.call.replyCopies = JSON_REPLY_COPIES;
    const page = await call.store.scan(rangeOf({ prefix, start, end }), {
      limit,
      pageToken,
      revision,
      keysOnly,
      reverse,
      ...(match !== undefined && { match }),
      charge: pageCharge(call.call),
    });
    call.call.checkMessage(entriesBytes(page.entries));
    const text = new PageText(page, !keysOnly);
    await sendPieces(call, () => text.take());
  },
});

type Bounds = { readonly [name in 'prefix' | 'start' | 'end']?: Key | undefined };

function rangeOf({ prefix, start, end }: Bounds): KeyRange {
  return { ...(prefix && { prefix }), ...(start && { start }), ...(end && { end }) };
}

/** A page as JSON, entry by entry. */
class PageText {
  readonly #page: ScanPage;
  readonly #hasValues: boolean;
  /** Those that are not written yet. */
  readonly #entries: Iterator<Entry>;
  readonly #text = new JsonText();
  #before = '';
  #isWhole = false;

  constructor(page: ScanPage, hasValues: boolean) {
    this.#page = page;
    this.#hasValues = hasValues;
    this.#entries = page.entries.values();
    this.#text.text('{"entries":[');
  }

  /** The next piece; `undefined`: that was all. */
  take(): Buffer | undefined {
    const text = this.#text;
    while (!this.#isWhole && text.heldBytes < serverFixed.jsonPieceBytes) this.#writeNext();
    text.end();
    return text.take();
  }

  #writeNext(): void {
    const { done, value: entry } = this.#entries.next();
    if (done === true) return this.#writeEnd();
    this.#text.text(this.#before);
    writeForm(entryJson(entry, this.#hasValues), this.#text);
    this.#before = ',';
  }

  #writeEnd(): void {
    const { revision, incarnation, nextPageToken } = this.#page;
    const end = { ...(nextPageToken !== '' && { nextPageToken }), revision, incarnation };
    this.#text.text(`],${JSON.stringify(end).slice(1)}\n`);
    this.#isWhole = true;
  }
}
