/**
 * A reader of Server-Sent Events, as HTML has it (section 9.2.6): bytes in, events out. It keeps the id of the last event, and comes again
 * with it.
 */
import { request } from 'node:http';

export interface ReadEvent {
  readonly type: string;
  readonly data: string;
  /** Of this event or the last one before that had one. */
  readonly lastEventId: string;
}

export class EventParser {
  lastEventId = '';
  retryMs: number | undefined;
  #text = '';
  #type = '';
  #data: string[] = [];
  #id: string | undefined;

  /** @returns the events that have come to their end. */
  push(text: string): ReadEvent[] {
    this.#text += text;
    const events: ReadEvent[] = [];
    for (let end = this.#text.indexOf('\n'); end !== -1; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (line === '') events.push(...this.#dispatch());
      else this.#take(line);
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#type = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id') this.#id = value;
    else if (name === 'retry') this.retryMs = Number(value);
  }

  #dispatch(): ReadEvent[] {
    const [type, data] = [this.#type || 'message', this.#data];
    this.lastEventId = this.#id ?? this.lastEventId;
    this.#type = '';
    this.#data = [];
    this.#id = undefined;
    return data.length === 0 ? [] : [{ type, data: data.join('\n'), lastEventId: this.lastEventId }];
  }
}

/** One connection. */
export interface EventConnection {
  readonly status: number;
  readonly contentType: string;
  /** All that came where that is no stream of events. */
  readonly body: Promise<string>;
  /** The next event; `undefined`: the stream has ended, or was cut. */
  next(): Promise<ReadEvent | undefined>;
  /** Cuts the connection. */
  cut(): void;
  readonly parser: EventParser;
}

export function connectEvents(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventConnection> {
  const parser = new EventParser();
  // Before anything comes: an event without an id has that of the one before.
  parser.lastEventId = headers['last-event-id'] ?? '';
  const events: ReadEvent[] = [];
  let isOver = false;
  let wake = (): void => undefined;
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const body = Promise.withResolvers<string>();
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        events.push(...parser.push(part));
        wake();
      });
      const over = (): void => {
        isOver = true;
        body.resolve(text);
        wake();
      };
      response.once('error', over).once('close', over);
      resolve({
        status: response.statusCode ?? 0,
        contentType: response.headers['content-type'] ?? '',
        body: body.promise,
        parser,
        cut: () => sent.destroy(),
        async next() {
          for (;;) {
            const event = events.shift();
            if (event !== undefined || isOver) return event;
            await new Promise<void>((goOn) => (wake = goOn));
          }
        },
      });
    });
    sent.end();
  });
}
