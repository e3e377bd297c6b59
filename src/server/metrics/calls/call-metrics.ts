/** The metrics of the server: calls, what they hold, and the connections that they came over. */
import { grpcCode, nameOfCode } from '../../../grpc-code.ts';
import { limitOptionName } from '../../../limits.ts';
import type { CallMeter } from './call-meter.ts';
import type { Labels, Metric, Sample, ServerFigures } from '../metric.ts';
import { doors, statusClasses } from './routes.ts';
import { protocols } from './traffic.ts';

const connectionLimits = ['connectionsMax', 'connectionsPerAddressMax'] as const;
const rateLimits = ['operationsPerSecondMax', 'bytesPerSecondMax'] as const;

const doorLabel = Object.keys(doors).join(', ');
const methodLabel = 'a method of `kelp.v1` (`Get`, `Put`, ...), or one of those below';
const route = { door: doorLabel, method: methodLabel };
const rateLabel = { limit: rateLimits.map(limitOptionName).join(', ') };
const protocolLabel = { protocol: Object.keys(protocols).join(', ') };

export const callMetrics: readonly Metric<ServerFigures>[] = [
  {
    name: 'kelp_calls_total',
    type: 'counter',
    help: 'The calls that have ended, by the status code that they ended with; 0 are not shown, except of Ok.',
    labels: { ...route, code: 'the status codes of gRPC as the log names them: Ok, NotFound, ...' },
    read: ({ meters }) => meters.used.flatMap(samplesByCode),
  },
  {
    name: 'kelp_call_duration_seconds',
    type: 'histogram',
    help: 'From the head of a request to the end of its reply, of calls with one request and one reply; of an operation in a batch, from when the batch had come until it was durable.',
    labels: route,
    read: ({ meters }) =>
      meters.used
        .filter(({ durations }) => durations.count > 0)
        .map((meter) => ({ labels: labelsOf(meter), histogram: meter.durations })),
  },
  {
    name: 'kelp_calls_in_progress',
    type: 'gauge',
    help: 'The calls under way, open streams among them.',
    labels: route,
    read: ({ meters }) =>
      meters.used.map((meter) => ({
        labels: labelsOf(meter),
        value: meter.begunCount - meter.endedCount,
      })),
  },
  {
    name: 'kelp_calls_limit',
    type: 'gauge',
    help: 'So many calls may be under way (--calls-max).',
    read: ({ calls }) => calls.callsMax,
  },
  {
    name: 'kelp_streams_open',
    type: 'gauge',
    help: 'Those of the calls under way that are streams: watches, pipelines, scans, backups.',
    read: ({ calls }) => calls.streamCount,
  },
  {
    name: 'kelp_http_responses_total',
    type: 'counter',
    help: 'The replies of HTTP through doors whose protocol uses its status, by the class of that.',
    labels: { ...route, status_class: statusClasses.join(', ') },
    read: ({ meters }) => meters.used.flatMap(samplesByStatusClass),
  },
  {
    name: 'kelp_call_received_bytes_total',
    type: 'counter',
    help: 'The bytes of the bodies of requests, as they come: compressed where they are, without heads. Those of batches count for Pipeline alone.',
    labels: route,
    read: ({ meters }) => byRoute(meters.used, ({ receivedBytes }) => receivedBytes),
  },
  {
    name: 'kelp_call_sent_bytes_total',
    type: 'counter',
    help: 'The bytes of the bodies of replies, in the same way, as they are handed to the connection.',
    labels: route,
    read: ({ meters }) => byRoute(meters.used, ({ sentBytes }) => sentBytes),
  },
  {
    name: 'kelp_call_memory_bytes',
    type: 'gauge',
    help: 'The memory that requests and replies under way are charged for.',
    read: ({ calls }) => calls.heldBytes,
  },
  {
    name: 'kelp_call_memory_limit_bytes',
    type: 'gauge',
    help: 'So much of it they may hold together (--call-bytes-max).',
    read: ({ calls }) => calls.callBytesMax,
  },
  {
    name: 'kelp_rate_refusals_total',
    type: 'counter',
    help: 'The calls that were refused since their user, or their connection, had more in a second than the limit allows.',
    labels: rateLabel,
    read: ({ rates }) => byLimit(rates, ({ refusedCount }) => refusedCount),
  },
  {
    name: 'kelp_rate_waits_total',
    type: 'counter',
    help: 'The batches of Pipeline and parts of ScanStream that waited for the same reason.',
    labels: rateLabel,
    read: ({ rates }) => byLimit(rates, ({ waitedCount }) => waitedCount),
  },
  {
    name: 'kelp_replies_cut_total',
    type: 'counter',
    help: 'The replies that were broken off because their client did not read them.',
    read: ({ calls }) => calls.cutCount,
  },
];

export const connectionMetrics: readonly Metric<ServerFigures>[] = [
  {
    name: 'kelp_connections',
    type: 'gauge',
    help: 'The open connections.',
    labels: protocolLabel,
    read: ({ connections }) => byProtocol(connections, ({ openCount }) => openCount),
  },
  {
    name: 'kelp_connections_limit',
    type: 'gauge',
    help: 'So many may be open (--connections-max).',
    read: ({ connectionsMax }) => connectionsMax,
  },
  {
    name: 'kelp_connections_refused_total',
    type: 'counter',
    help: 'The connections that were closed since there were too many, by the option that sets the limit.',
    labels: { limit: connectionLimits.map(limitOptionName).join(', ') },
    read: ({ refusedConnections }) =>
      Object.entries(refusedConnections).map(([limit, value]) => ({ labels: { limit }, value })),
  },
  {
    name: 'kelp_connections_opened_total',
    type: 'counter',
    help: 'The connections that were opened, counted once it is known what they speak.',
    labels: protocolLabel,
    read: ({ connections }) => byProtocol(connections, ({ openedCount }) => openedCount),
  },
  {
    name: 'kelp_network_received_bytes_total',
    type: 'counter',
    help: 'The bytes that came over connections, with all that their protocol puts around messages.',
    labels: { protocol: 'http2, http1' },
    read: ({ bytes }) => byProtocol(bytes, ({ receivedBytes }) => receivedBytes),
  },
  {
    name: 'kelp_network_sent_bytes_total',
    type: 'counter',
    help: 'The bytes that were sent, likewise.',
    labels: { protocol: 'http2, http1' },
    read: ({ bytes }) => byProtocol(bytes, ({ sentBytes }) => sentBytes),
  },
];

export const serverMetrics: readonly Metric<ServerFigures>[] = [
  {
    name: 'kelp_serving',
    type: 'gauge',
    help: '1: reads and writes are served; else 0.',
    read: ({ isServing }) => (isServing ? 1 : 0),
  },
  {
    name: 'kelp_build_info',
    type: 'gauge',
    help: 'Always 1; the label says which version runs.',
    labels: { version: 'of the product' },
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    name: 'kelp_log_lines_dropped_total',
    type: 'counter',
    help: "The lines of the server's log that were not read in time or could not be written: above 0 it has gaps.",
    read: ({ droppedLogLines }) => droppedLogLines,
  },
  {
    name: 'kelp_tls_certificate_expiration_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate of the server, or one of its chain, expires, as seconds since 1970; without TLS there is none.',
    read: ({ certificateExpireTimeMs: atMs }) => (atMs === undefined ? [] : atMs / 1000),
  },
  {
    name: 'kelp_trace_spans_sent_total',
    type: 'counter',
    help: 'The spans of traces that the collector has received (--otlp-endpoint).',
    read: ({ spans }) => spans.sentCount,
  },
  {
    name: 'kelp_trace_spans_lost_total',
    type: 'counter',
    help: 'The spans that were lost: more than are sent in time, or the collector did not take them. No call is lost by it.',
    read: ({ spans }) => spans.lostCount,
  },
];

function labelsOf({ door, method }: CallMeter): Labels {
  return { door, method };
}

function samplesByCode(meter: CallMeter): Sample[] {
  return Object.values(grpcCode)
    .map((code) => ({
      labels: { ...labelsOf(meter), code: nameOfCode(code) },
      value: meter.countByCode[code] ?? 0,
      isShown: code === grpcCode.Ok,
    }))
    .filter(({ value, isShown }) => value > 0 || isShown);
}

function samplesByStatusClass(meter: CallMeter): Sample[] {
  return statusClasses
    .map((statusClass, index) => ({
      labels: { ...labelsOf(meter), status_class: statusClass },
      value: meter.countByStatusClass[index] ?? 0,
    }))
    .filter(({ value }) => value > 0);
}

function byRoute(meters: readonly CallMeter[], read: (meter: CallMeter) => number): Sample[] {
  return meters.map((meter) => ({ labels: labelsOf(meter), value: read(meter) }));
}

function byLimit(
  rates: ServerFigures['rates'],
  read: (counts: ServerFigures['rates'][string]) => number,
): Sample[] {
  return Object.entries(rates).map(([limit, counts]) => ({ labels: { limit }, value: read(counts) }));
}

function byProtocol<Figures>(
  all: Readonly<Record<string, Figures>>,
  read: (figures: Figures) => number,
): Sample[] {
  return Object.entries(all).map(([protocol, figures]) => ({ labels: { protocol }, value: read(figures) }));
}
