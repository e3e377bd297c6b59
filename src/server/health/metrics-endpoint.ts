/** `GET /metrics`: what the server, its store and the process say of themselves, in the text format of Prometheus. */
import { Registry } from 'prom-client';
import { grpcCode } from '../../grpc-code.ts';
import { CHALLENGE } from '../access/credentials.ts';
import { failureOf } from '../calls/outcome.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { pathOf } from '../http/request-target.ts';
import { exposed } from '../metrics/exposition.ts';
import type { OpenStoreFigures, ServerFigures } from '../metrics/metric.ts';
import { serverSections, storeSections } from '../metrics/metric-table.ts';
import { processMetrics } from '../metrics/process/process-metrics.ts';
import { isReading, sendJson } from './probes.ts';

export interface FigureSources {
  /** Rejects for those who may not see them; `undefined`: for everybody. */
  readonly admit: (request: HttpRequest) => Promise<void> | undefined;
  readonly server: () => ServerFigures;
  /** `undefined` as long as it is not open. */
  readonly store: () => Promise<OpenStoreFigures> | undefined;
}

function sendRefusal(response: HttpResponse, error: unknown): void {
  const { code, message } = failureOf(error);
  if (code === grpcCode.Unauthenticated)
    sendJson(response, 401, { message }, { 'www-authenticate': CHALLENGE });
  else sendJson(response, code === grpcCode.ResourceExhausted ? 429 : 503, { message });
}

export class MetricsEndpoint {
  readonly #sources: FigureSources;
  /** The text that is being made. */
  #making: Promise<string> | undefined;

  constructor(sources: FigureSources) {
    this.#sources = sources;
  }

  /** @returns false when the request is for something else. */
  answer(request: HttpRequest, response: HttpResponse): boolean {
    const path = pathOf(request);
    if (path !== '/metrics') return false;
    if (!isReading(request, response, path)) return true;
    const allowed = this.#sources.admit(request);
    if (allowed === undefined) this.#send(response);
    else
      allowed.then(
        () => this.#send(response),
        (error: unknown) => sendRefusal(response, error),
      );
    return true;
  }

  #send(response: HttpResponse): void {
    // Those that come at once share one text: it takes longer to make than all else that is asked for without a call.
    this.#making ??= this.#text().finally(() => (this.#making = undefined));
    this.#making.then(
      (text) => {
        response.writeHead(200, {
          'content-type': Registry.PROMETHEUS_CONTENT_TYPE,
          'cache-control': 'no-store',
        });
        response.end(text);
      },
      (error: unknown) => sendJson(response, 503, { message: String(error) }),
    );
  }

  async #text(): Promise<string> {
    const store = await this.#sources.store();
    const server = this.#sources.server();
    const ofServer = serverSections.map(({ metrics }) => exposed(metrics, server));
    const ofStore = store === undefined ? [] : storeSections.map(({ metrics }) => exposed(metrics, store));
    return [...ofServer, ...ofStore, await processMetrics().metrics()].join('');
  }
}
