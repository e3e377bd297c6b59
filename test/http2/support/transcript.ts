/**
 * What a connection sent, apart from how its bytes were cut, as data and as text: two runs of a session are to be equal.
 */
import { crc32 } from 'node:zlib';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { blockOf, flag, type Frame, frameType } from './frames.ts';

/** What was sent on one stream. */
export interface SentStream {
  /** Heads and trailers. */
  readonly blocks: (readonly Field[])[];
  body: string;
  isEnded: boolean;
  readonly resetCodes: number[];
  /** What was sent after its end or a reset, which may not be. */
  readonly late: string[];
}

export interface Sent {
  readonly streams: Record<number, SentStream>;
  readonly pingsAnswered: string[];
  readonly settingsAcknowledged: { count: number };
  readonly goaways: { readonly lastStreamId: number; readonly code: number; readonly text: string }[];
  /** What windows were opened by, by stream; 0 is the connection. */
  readonly windows: Record<number, number>;
}

/** Reads what was sent as its receiver would; fails where that would be an error. */
export function sentIn(frames: readonly Frame[]): Sent {
  const decoder = new HpackDecoder(1 << 20);
  const sent: Sent = {
    streams: {},
    pingsAnswered: [],
    settingsAcknowledged: { count: 0 },
    goaways: [],
    windows: {},
  };
  const streamOf = (id: number): SentStream =>
    (sent.streams[id] ??= { blocks: [], body: '', isEnded: false, resetCodes: [], late: [] });
  let parts: Buffer[] = [];
  let blockFlags = 0;
  for (const frame of frames) {
    const { type, flags, streamId, payload } = frame;
    if (parts.length > 0 && type !== frameType.CONTINUATION) throw new Error('a frame within a header block');
    switch (type) {
      case frameType.DATA: {
        const stream = streamOf(streamId);
        if (stream.isEnded || stream.resetCodes.length > 0) stream.late.push('DATA');
        if (stream.blocks.length === 0) stream.late.push('DATA before HEADERS');
        stream.body += payload.toString('latin1');
        if (flags & flag.END_STREAM) stream.isEnded = true;
        break;
      }
      case frameType.HEADERS:
      case frameType.CONTINUATION: {
        if (type === frameType.HEADERS) {
          blockFlags = flags;
          parts = [blockOf(frame)];
        } else {
          if (parts.length === 0) throw new Error('CONTINUATION without HEADERS');
          parts.push(payload);
        }
        if ((flags & flag.END_HEADERS) === 0) break;
        const block = Buffer.concat(parts);
        parts = [];
        const fields = decoder.decode(block, 0, block.length) ?? [];
        const stream = streamOf(streamId);
        if (stream.isEnded || stream.resetCodes.length > 0) stream.late.push('HEADERS');
        stream.blocks.push(fields.map(({ pair }) => pair));
        if (blockFlags & flag.END_STREAM) stream.isEnded = true;
        break;
      }
      case frameType.RST_STREAM:
        streamOf(streamId).resetCodes.push(payload.readUInt32BE());
        break;
      case frameType.SETTINGS:
        if (flags & flag.ACK) sent.settingsAcknowledged.count++;
        break;
      case frameType.PING:
        if (flags & flag.ACK) sent.pingsAnswered.push(payload.toString('latin1'));
        break;
      case frameType.GOAWAY:
        sent.goaways.push({
          lastStreamId: payload.readUInt32BE(),
          code: payload.readUInt32BE(4),
          text: payload.toString('utf8', 8),
        });
        break;
      case frameType.WINDOW_UPDATE:
        sent.windows[streamId] = (sent.windows[streamId] ?? 0) + payload.readUInt32BE();
        break;
      default:
        throw new Error(`a frame of type ${type} was sent`);
    }
  }
  if (parts.length > 0) throw new Error('a header block without an end');
  return sent;
}

/** What was sent, a line for each stream and for each word of the connection's own. */
export function textOfSent({ streams, pingsAnswered, settingsAcknowledged, goaways }: Sent): string[] {
  return [
    ...Object.entries(streams).map(([id, stream]) => `  sent on ${id}: ${textOfStream(stream)}`),
    ...(settingsAcknowledged.count > 0
      ? [`  sent: SETTINGS acknowledged ${settingsAcknowledged.count} times`]
      : []),
    ...pingsAnswered.map((payload) => `  sent: PING answered, ${textOfPing(payload)}`),
    ...goaways.map(
      ({ lastStreamId, code, text }) =>
        `  sent: GOAWAY ${codeName(code)} after stream ${lastStreamId}: ${text}`,
    ),
  ];
}

function textOfPing(payload: string): string {
  return /^[ -~]*$/.test(payload) ? payload.trim() : Buffer.from(payload, 'latin1').toString('hex');
}

function textOfStream({ blocks, body, isEnded, resetCodes, late }: SentStream): string {
  const parts = blocks.map((fields) => textOfFields(fields));
  if (body !== '') parts.push(textOfBody(body));
  if (isEnded) parts.push('end');
  parts.push(...resetCodes.map((code) => `RST_STREAM ${codeName(code)}`));
  parts.push(...late.map((what) => `AFTER THE END: ${what}`));
  return parts.join('; ');
}

export function textOfFields(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}=${value.length > 40 ? textOfBody(value) : value}`).join(' ');
}

export function textOfBody(body: string): string {
  const sum = crc32(Buffer.from(body, 'latin1')).toString(16);
  return `${body.length} bytes (${sum})`;
}

export function codeName(code: number): string {
  const found = Object.entries(errorCode).find(([, value]) => value === code);
  return found?.[0] ?? String(code);
}
