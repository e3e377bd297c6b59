/**
 * The small HTTP interfaces that scripts use which were written for other stores, with the bodies that these expect: blobs
 * (`/blobs`), values in JSON (`/set`, `/get`, `/delete`), `/health`, and `/metrics` where JSON is asked for. Keys are those of the store,
 * so that REST, gRPC and scripts see the same. What is new belongs to REST (`rest/rest.ts`).
 */
import type { Clock } from '../../clock.ts';
import { Blobs } from '../../blobs/blobs.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { serverFixed } from '../../limits.ts';
import type { Held } from '../../paged-list.ts';
import { sendJson } from '../health/probes.ts';
import { meterReply } from '../http/meter-reply.ts';
import type { HttpRequest, HttpResponse } from '../http/http-message.ts';
import { pathOf } from '../http/request-target.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import { RestApi, type RestApiContext } from '../rest/rest-api.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { wantsJson } from './accept.ts';
import { blobOperations } from './blobs.ts';
import { sendError } from './script-reply.ts';
import { valueOperations } from './values.ts';
import { volumeOperations } from './volume.ts';

/** Of what is not served there, some is meant for these interfaces. */
const OWN_PATH = /^\/(?:blobs|set|get|delete)\//;

export interface ScriptsOptions {
  readonly volumeId: string;
  readonly valueBytesMax: number;
  readonly requestBytesMax: number;
  readonly clock: Clock;
  /** Metrics are for everybody. */
  readonly openMetrics: boolean;
}

export class Scripts {
  readonly #api: RestApi;
  readonly #options: ScriptsOptions;
  readonly #startMs: number;
  /** Of what is at none of the paths. */
  readonly #otherMeter: CallMeter;
  #blobs: Blobs | undefined;

  constructor(options: ScriptsOptions, context: RestApiContext) {
    const { volumeId, valueBytesMax, requestBytesMax, clock, openMetrics } = options;
    this.#options = options;
    this.#startMs = clock.monotonicMs();
    this.#otherMeter = context.calls.meters.of('scripts', 'other');
    const blobsOf = ({ store }: RestCall): Blobs => this.#blobsOf(store);
    const uptimeMs = (): number => clock.monotonicMs() - this.#startMs;
    const operations = [
      ...blobOperations(blobsOf, valueBytesMax),
      ...valueOperations(requestBytesMax),
      ...volumeOperations(blobsOf, { volumeId, state: context.state, uptimeMs, openMetrics }),
    ];
    this.#api = new RestApi({ door: 'scripts', operations, writeProblem: sendError }, context);
  }

  /** @returns false when the request is for something else: of a response to that it may have said what it depends on. */
  answer(request: HttpRequest, response: HttpResponse): boolean {
    const path = pathOf(request);
    if (path === '/metrics') {
      response.appendHeader('vary', 'Accept');
      // To all others the metrics are Prometheus' text.
      if (!wantsJson(request.headers.accept)) return false;
    }
    if (this.#api.answer(request, response)) return true;
    if (!OWN_PATH.test(path)) return false;
    meterReply(response, this.#otherMeter);
    const shown = path.slice(0, serverFixed.pathCharactersMax);
    sendJson(response, 404, { error: `nothing is served at ${shown}; a slash in a key is written %2F` });
    return true;
  }

  /** A server has one store as long as it runs. */
  #blobsOf(store: KvStore): Blobs {
    const { volumeId, clock } = this.#options;
    const meanValueBytes = (): Promise<number> => store.meanValueBytes();
    const hold = (): Held | undefined => store.hold(0);
    this.#blobs ??= new Blobs({ store, meanValueBytes, hold, volumeId, clock, startMs: this.#startMs });
    return this.#blobs;
  }
}
