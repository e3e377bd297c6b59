/**
 * What sends the spans of a server to `--otlp-endpoint`: OTLP over HTTP, as Protobuf. Loaded only then.
 *
 * Calls never wait for it. The spans that wait are bounded, those beyond are lost; so are those that could not be sent. That there are
 * such is one line of the log, and one more each minute with how many there were.
 *
 * Where and how much is for the server's options to say. What else OpenTelemetry's own variables say of who the process is
 * (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) and of how to be let in (`OTEL_EXPORTER_OTLP_HEADERS`, certificates) holds.
 */
import { TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import type { OwnTraces } from './server-traces.ts';

const { spanQueueMax, spanBatchMax, spanBatchDelayMs, spanExportMsMax, spanLossLogMs } = serverFixed;

export interface SpanExportOptions {
  /** A URL; the path of OTLP for traces follows it, unless it ends with that. */
  readonly endpoint: string;
  readonly sampleShare: number;
  readonly version: string;
  readonly logger: Logger;
}

/** How many spans were received, and how many will not be. */
export interface SpanCounts {
  readonly sentCount: number;
  readonly lostCount: number;
}

/** The tracer records all that it is asked for, but what is part of a trace that is left out. */
export interface SpanExport extends OwnTraces {
  /** Of now, whenever it is read. */
  readonly counts: SpanCounts;
  /** Sends what waits, if that takes no longer than this. */
  stop(timeoutMs: number): Promise<void>;
}

const TRACES_PATH = '/v1/traces';

/** The code of a batch that was received. */
const SUCCESS = 0;
type OnResult = Parameters<SpanExporter['export']>[1];

export function exportSpans({ endpoint, sampleShare, version, logger }: SpanExportOptions): SpanExport {
  const url = tracesUrl(endpoint);
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: spanExportMsMax });
  const queue = new SpanQueue(exporter, ({ lostSpans, reason = 'more than are sent in time' }) =>
    logger.warn({ endpoint: url, lostSpans, reason }, 'spans of traces were lost'),
  );
  const own = resourceFromAttributes({ 'service.name': 'kelpdb', 'service.version': version });
  const provider = new TracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [queue],
  });
  return {
    tracer: provider.getTracer('kelpdb', version),
    sampleShare,
    counts: queue,
    hasRoom: () => queue.hasRoom(),
    stop: async (timeoutMs) => {
      const late = Promise.withResolvers<void>();
      const timer = systemClock.setTimer(timeoutMs, late.resolve);
      // What it rejects with has been told.
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      timer.cancel();
      queue.giveUp();
    },
  };
}

export function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.pathname.endsWith(TRACES_PATH)) url.pathname = url.pathname.replace(/\/*$/, TRACES_PATH);
  return url.href;
}

interface Losses {
  readonly lostSpans: number;
  /** Why the last of them could not be sent; `undefined`: more had ended than are sent in the same time. */
  readonly reason: string | undefined;
}

/** Bounds what waits in the processor of the SDK, which would drop what is too much without a word, and counts what is lost. */
class SpanQueue implements SpanProcessor, SpanCounts {
  sentCount = 0;
  lostCount = 0;
  readonly #processor: SpanProcessor;
  readonly #exporter: SpanExporter;
  readonly #onLosses: (losses: Losses) => void;
  /** Those that wait, ... */
  #waitingCount = 0;
  /** ... and those on their way. */
  #leavingCount = 0;
  #isGivenUp = false;
  /** Since the log has told of any. */
  #untoldCount = 0;
  #reason: string | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, onLosses: (losses: Losses) => void) {
    this.#exporter = exporter;
    this.#onLosses = onLosses;
    this.#processor = new BatchSpanProcessor({
      exporter: {
        export: (spans, onResult) => this.#export(spans, onResult),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: spanQueueMax,
      maxExportBatchSize: spanBatchMax,
      scheduledDelayMillis: spanBatchDelayMs,
      // The exporter ends by itself before.
      exportTimeoutMillis: 2 * spanExportMsMax,
    });
  }

  hasRoom(): boolean {
    if (this.#waitingCount < spanQueueMax) return true;
    this.#lost(1, undefined);
    return false;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (!this.hasRoom()) return;
    this.#waitingCount++;
    this.#processor.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#processor.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#processor.shutdown();
  }

  /** What was not received by now is lost. */
  giveUp(): void {
    const unsentCount = this.#waitingCount + this.#leavingCount;
    this.#isGivenUp = true;
    if (unsentCount > 0) this.#lost(unsentCount, 'not received when the server stopped');
    this.#tellLosses();
  }

  #tellLosses(): void {
    if (this.#untoldCount === 0) return;
    this.#onLosses({ lostSpans: this.#untoldCount, reason: this.#reason });
    this.#untoldCount = 0;
    this.#reason = undefined;
    this.#toldAtMs = systemClock.monotonicMs();
  }

  #export(spans: ReadableSpan[], onResult: OnResult): void {
    this.#waitingCount -= spans.length;
    this.#leavingCount += spans.length;
    this.#exporter.export(spans, (result) => {
      if (!this.#isGivenUp) {
        this.#leavingCount -= spans.length;
        if ((result.code as number) === SUCCESS) this.sentCount += spans.length;
        else this.#lost(spans.length, result.error?.message);
      }
      onResult(result);
    });
  }

  #lost(count: number, reason: string | undefined): void {
    this.lostCount += count;
    this.#untoldCount += count;
    this.#reason = reason ?? this.#reason;
    if (systemClock.monotonicMs() - this.#toldAtMs >= spanLossLogMs) this.#tellLosses();
  }
}
