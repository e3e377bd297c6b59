/**
 * A client of any service through Go's gRPC as Debian has it: a process that makes the calls, with messages encoded here by
 * protobuf-es. It is built from `go/main.go`, in some seconds the first time.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import {
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { onTestFinished } from 'vitest';
import { type ErrorDetail, ErrorDetailSchema } from '../../gen/kelp/v1/errors_pb.ts';
import { found } from '../support/installed.ts';

const run = promisify(execFile);

/** Where Debian's packages put Go's libraries. */
const GOPATH = '/usr/share/gocode';
const PACKAGES = ['google.golang.org/grpc', 'github.com/golang/protobuf/proto', 'golang.org/x/net/http2'];

export const isGoInstalled = found(
  "Go's gRPC",
  [...PACKAGES.map((name) => join(GOPATH, 'src', name)), '/usr/bin/go'].every((path) => existsSync(path)),
);

/** @returns the program, and what removes it. */
export async function buildGoClient(): Promise<{
  readonly program: string;
  readonly remove: () => Promise<void>;
}> {
  const directory = await mkdtemp(join(tmpdir(), 'kelp-go-'));
  const program = join(directory, 'client');
  // Without a home Go has no place for what it has built of libraries.
  const place = process.env['HOME'] === undefined ? { GOCACHE: join(directory, 'cache') } : {};
  const env = { ...place, ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '' };
  await run('/usr/bin/go', ['build', '-o', program, '.'], { cwd: 'test/peers/go', env });
  return { program, remove: () => rm(directory, { recursive: true, force: true }) };
}

export interface GoClientOptions {
  /** A file of certificates to trust; with it the connection has TLS. */
  readonly ca?: string;
  /** How often a silent connection is asked for a sign of life. */
  readonly keepaliveMs?: number;
}

export interface GoCallOptions {
  readonly timeoutMs?: number;
  readonly gzip?: boolean;
  /** Waits for a connection as long as it takes, rather than fail when there is none. */
  readonly wait?: boolean;
}

/** How a call ended, if not well: as Go's gRPC tells it. */
export class GoStatusError extends Error {
  override readonly name = 'GoStatusError';
  readonly code: number;
  readonly detail: ErrorDetail | undefined;

  constructor({ code, text = '', status = '' }: Event) {
    super(text);
    this.code = code;
    this.detail = findTrailerError(
      new Headers({ 'grpc-status': `${code}`, 'grpc-status-details-bin': status }),
    )?.findDetails(ErrorDetailSchema)[0];
  }
}

/** As `go/main.go` writes it. */
interface Event {
  readonly id: number;
  readonly message?: string;
  readonly isDone?: true;
  readonly code: number;
  readonly text?: string;
  readonly status?: string;
}

export class GoClient {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #callById = new Map<number, GoCall<DescMessage, DescMessage>>();
  #stderr = '';

  /** Ends with the test, which fails when it does not end well. */
  constructor(program: string, address: string, { ca, keepaliveMs }: GoClientOptions = {}) {
    const options = [
      `-address=${address}`,
      ...(ca === undefined ? [] : [`-ca=${ca}`]),
      ...(keepaliveMs === undefined ? [] : [`-keepalive=${keepaliveMs}ms`]),
    ];
    this.#process = spawn(program, options, { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdout, stderr } = this.#process;
    stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    createInterface({ input: stdout }).on('line', (line) => this.#take(JSON.parse(line) as Event));
    const ended = new Promise<number | null>((resolve) => this.#process.once('close', resolve));
    void ended.then(() => {
      for (const call of this.#callById.values()) call.lost(this.#stderr);
    });
    onTestFinished(async () => {
      this.#process.stdin.end();
      if ((await ended) !== 0) throw new Error(`the client in Go failed: ${this.#stderr}`);
    });
  }

  /** Rejects with a `GoStatusError`. */
  async unary<Input extends DescMessage, Output extends DescMessage>(
    method: Unary<Input, Output>,
    request: MessageInitShape<Input>,
    options: GoCallOptions = {},
  ): Promise<MessageShape<Output>> {
    const call = this.#call<Input, Output>(method, false, options, request, false);
    const [reply, ...rest] = await call.all();
    if (reply === undefined || rest.length > 0) throw new Error(`${rest.length + 1} replies, not one`);
    return reply;
  }

  serverStream<Input extends DescMessage, Output extends DescMessage>(
    method: ServerStream<Input, Output>,
    request: MessageInitShape<Input>,
    options: GoCallOptions = {},
  ): GoCall<Input, Output> {
    return this.#call(method, true, options, request, true);
  }

  bidiStream<Input extends DescMessage, Output extends DescMessage>(
    method: BidiStream<Input, Output>,
  ): GoCall<Input, Output> {
    return this.#call<Input, Output>(method, true, {}, undefined, false);
  }

  #call<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethod & { readonly input: Input; readonly output: Output },
    streaming: boolean,
    options: GoCallOptions,
    request: MessageInitShape<Input> | undefined,
    end: boolean,
  ): GoCall<Input, Output> {
    const id = this.#callById.size;
    const call = new GoCall(method, (order) => {
      this.#process.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    });
    this.#callById.set(id, call);
    call.begin({ method: `/${method.parent.typeName}/${method.name}`, streaming, end, ...options }, request);
    return call;
  }

  #take(event: Event): void {
    this.#callById.get(event.id)?.take(event);
  }
}

type Unary<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly methodKind: 'unary';
  readonly input: Input;
  readonly output: Output;
};
type ServerStream<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly methodKind: 'server_streaming';
  readonly input: Input;
  readonly output: Output;
};
type BidiStream<Input extends DescMessage, Output extends DescMessage> = DescMethod & {
  readonly methodKind: 'bidi_streaming';
  readonly input: Input;
  readonly output: Output;
};

/** A call under way, whose replies are read one by one. */
export class GoCall<Input extends DescMessage, Output extends DescMessage> {
  readonly #method: { readonly input: Input; readonly output: Output };
  readonly #order: (order: object) => void;
  readonly #replies: MessageShape<Output>[] = [];
  #end: 'well' | Error | undefined;
  #wake: () => void = () => undefined;

  constructor(method: { readonly input: Input; readonly output: Output }, order: (order: object) => void) {
    this.#method = method;
    this.#order = order;
  }

  begin(order: object, request: MessageInitShape<Input> | undefined): void {
    this.#order(request === undefined ? order : { ...order, message: this.#encoded(request) });
  }

  send(request: MessageInitShape<Input>): void {
    this.#order({ message: this.#encoded(request) });
  }

  /** Nothing more is sent. */
  end(): void {
    this.#order({ end: true });
  }

  cancel(): void {
    this.#order({ cancel: true });
  }

  /** The next reply; undefined when there is none. Rejects with how the call ended, if not well. */
  async next(): Promise<MessageShape<Output> | undefined> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined || this.#end === 'well') return reply;
      if (this.#end !== undefined) throw this.#end;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** All replies that are left. */
  async all(): Promise<MessageShape<Output>[]> {
    const replies: MessageShape<Output>[] = [];
    for (;;) {
      const reply = await this.next();
      if (reply === undefined) return replies;
      replies.push(reply);
    }
  }

  take(event: Event): void {
    if (event.message !== undefined) {
      this.#replies.push(
        fromBinary(this.#method.output, Uint8Array.from(Buffer.from(event.message, 'base64'))),
      );
    }
    if (event.isDone) this.#end ??= event.code === 0 ? 'well' : new GoStatusError(event);
    this.#wake();
  }

  lost(why: string): void {
    this.#end ??= new Error(`the client in Go has ended: ${why}`);
    this.#wake();
  }

  #encoded(request: MessageInitShape<Input>): string {
    const { input } = this.#method;
    return Buffer.from(toBinary(input, create(input, request))).toString('base64');
  }
}
