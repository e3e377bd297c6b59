/** A program that has registered OpenTelemetry: its spans are kept in memory, and contexts follow its promises. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  type ContextManager,
  ROOT_CONTEXT,
  type SpanKind,
  context,
  trace,
} from '@opentelemetry/api';
import {
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';

class StorageContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Args extends unknown[], Run extends (...args: Args) => ReturnType<Run>>(
    active: Context,
    run: Run,
    thisArg?: ThisParameterType<Run>,
    ...args: Args
  ): ReturnType<Run> {
    return this.#storage.run(active, () => run.apply(thisArg, args));
  }

  bind<Target>(_: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

export class RecordedSpans implements SpanProcessor {
  readonly provider: TracerProvider;
  /** In the order of their ends. */
  readonly ended: ReadableSpan[] = [];
  #wake = (): void => undefined;

  constructor(sampler?: Sampler) {
    this.provider = new TracerProvider({
      spanProcessors: [this],
      ...(sampler !== undefined && { sampler }),
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.ended.push(span);
    this.#wake();
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  named(name: string): ReadableSpan[] {
    return this.ended.filter((span) => span.name === name);
  }

  /** The first of a name, and a kind, once it has ended. */
  async span(name: string, kind?: SpanKind): Promise<ReadableSpan> {
    for (;;) {
      const found = this.named(name).find((span) => kind === undefined || span.kind === kind);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** So many of a kind, once they have ended. */
  async spans(kind: SpanKind, count: number): Promise<ReadableSpan[]> {
    for (;;) {
      const found = this.ended.filter((span) => span.kind === kind);
      if (found.length >= count) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Until the test ends. */
export function registerSpans(sampler?: Sampler): RecordedSpans {
  const spans = new RecordedSpans(sampler);
  trace.setGlobalTracerProvider(spans.provider);
  context.setGlobalContextManager(new StorageContextManager());
  onTestFinished(() => {
    trace.disable();
    context.disable();
  });
  return spans;
}

/** Runs a function as if in this trace. */
export function within<Result>(traceId: string, spanId: string, run: () => Result): Result {
  const active = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1 });
  return context.with(active, run);
}
