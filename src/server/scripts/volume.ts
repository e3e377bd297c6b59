/** What a volume tells of itself to scripts: `/health`, and `/metrics` in JSON. */
import { checkUser, isUser } from '../../access/checks.ts';
import type { BlobStats } from '../../blobs/blobs.ts';
import type { ServerState } from '../health/server-state.ts';
import { type Operation, operation } from '../rest/operation.ts';
import type { BlobsOf } from './blobs.ts';
import { sendBody } from './script-reply.ts';

export interface VolumeOptions {
  readonly volumeId: string;
  readonly state: ServerState;
  readonly uptimeMs: () => number;
  readonly openMetrics: boolean;
}

const MIB = 1024 * 1024;

export function volumeOperations(blobsOf: BlobsOf, options: VolumeOptions): readonly Operation[] {
  const { volumeId, state, uptimeMs, openMetrics } = options;

  const health = operation({
    method: 'GET',
    template: '/health',
    countsAs: 'health',
    runsAt: 'here',
    query: {},
    // One that recovers for long is asked all the while.
    needsNoStore: true,
    isProbe: true,
    needs: 'open',
    async run(call) {
      const { phase, isReady, readiness } = state;
      const code = isReady ? 200 : 503;
      const status = isReady ? 'healthy' : readiness;
      const isOpen = phase === 'serving' || phase === 'readOnly';
      // While it recovers it is not known who is one.
      if (!isUser(call.call.login)) return sendBody(call, code, { status });
      const { keyCount = 0, segmentCount = 0, totalBytes = 0 } = isOpen ? await blobsOf(call).stats() : {};
      sendBody(call, code, {
        status,
        volume_id: volumeId,
        keys: keyCount,
        segments: segmentCount,
        total_mb: toMb(totalBytes),
        uptime_secs: Math.floor(uptimeMs() / 1000),
      });
    },
  });

  const metrics = operation({
    method: 'GET',
    template: '/metrics',
    countsAs: 'metrics',
    runsAt: 'here',
    query: {},
    isProbe: true,
    needs: openMetrics ? 'open' : checkUser,
    async run(call) {
      sendBody(call, 200, metricsOf(await blobsOf(call).stats()));
    },
  });

  return [health, metrics];
}

function metricsOf(stats: BlobStats): object {
  return {
    total_keys: stats.keyCount,
    total_segments: stats.segmentCount,
    total_bytes: stats.totalBytes,
    total_mb: toMb(stats.totalBytes),
    active_segment_id: stats.activeSegmentId,
    oldest_segment_id: stats.oldestSegmentId,
    volume_id: stats.volumeId,
    uptime_secs: Math.floor(stats.uptimeMs / 1000),
    avg_value_size_bytes: stats.meanBytes,
  };
}

/** With two digits behind the point. */
function toMb(bytes: number): number {
  return Math.round((bytes / MIB) * 100) / 100;
}
