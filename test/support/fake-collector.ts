/** A collector of OTLP over HTTP that keeps the spans that it is sent, or refuses them, or does not answer. */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { onTestFinished } from 'vitest';

/** What is looked at of a span; ids in hexadecimal digits, times in nanoseconds. */
export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  startNs: bigint;
  endNs: bigint;
}

export class FakeCollector {
  readonly spans: SentSpan[] = [];
  readonly paths: string[] = [];
  /** All that it was sent, as it came. */
  readonly bodies: Buffer[] = [];
  /** The names of the services that sent them. */
  readonly services = new Set<string>();
  url = '';
  /** What a request is answered with; `undefined`: nothing. */
  status: number | undefined = 200;
  #wake = (): void => undefined;

  async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.paths.push(request.url ?? '');
    const body = await buffer(request);
    this.bodies.push(body);
    if (this.status === 200) this.#read(body);
    if (this.status !== undefined) response.writeHead(this.status).end();
    this.#wake();
  }

  /** The first span of a name, once it has come. */
  async span(name: string, kind?: number): Promise<SentSpan> {
    return this.#first(() =>
      this.spans.find((span) => span.name === name && (kind ?? span.kind) === span.kind),
    );
  }

  /** Resolves when a request has come. */
  async request(): Promise<void> {
    await this.#first(() => this.paths[0]);
  }

  async #first<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** An `ExportTraceServiceRequest` of opentelemetry/proto/collector/trace/v1. */
  #read(request: Buffer): void {
    for (const resourceSpans of fieldsIn(request, 1)) {
      for (const resource of fieldsIn(resourceSpans, 1)) this.#readResource(resource);
      for (const scopeSpans of fieldsIn(resourceSpans, 2)) {
        for (const span of fieldsIn(scopeSpans, 2)) this.spans.push(spanOf(span));
      }
    }
  }

  #readResource(resource: Uint8Array): void {
    for (const attribute of fieldsIn(resource, 1)) {
      const [name] = fieldsIn(attribute, 1);
      const [value = new Uint8Array(0)] = fieldsIn(attribute, 2);
      if (name !== undefined && text(name) === 'service.name')
        this.services.add(text(fieldsIn(value, 1)[0] ?? value));
    }
  }
}

/** On a free port, until the test ends. */
export async function startCollector(): Promise<FakeCollector> {
  const collector = new FakeCollector();
  const server = createServer((request, response) => void collector.receive(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}

/** All fields of a number that have a length. */
function fieldsIn(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === wanted && wireType === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wireType, number);
  }
  return found;
}

function spanOf(message: Uint8Array): SentSpan {
  const reader = new BinaryReader(message);
  const span: SentSpan = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startNs: 0n,
    endNs: 0n,
  };
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) span.traceId = hex(reader.bytes());
    else if (number === 2) span.spanId = hex(reader.bytes());
    else if (number === 4) span.parentSpanId = hex(reader.bytes());
    else if (number === 5) span.name = reader.string();
    else if (number === 6) span.kind = reader.int32();
    else if (number === 7) span.startNs = BigInt(reader.fixed64());
    else if (number === 8) span.endNs = BigInt(reader.fixed64());
    else reader.skip(wireType, number);
  }
  return span;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
