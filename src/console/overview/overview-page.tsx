/** How the server does: its figures now, and over the last minutes. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { StatusResponse } from '../../../gen/kelp/v1/admin_pb.ts';
import { formatBytes, formatCount, formatSpan } from '../bytes/text.ts';
import { unreachable } from '../calls/server.ts';
import { addressOf } from '../page/route.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { Fact } from '../parts/facts.tsx';
import { MissingRight } from '../parts/missing-right.tsx';
import { usePolled } from '../parts/polled.ts';
import { Chart, type Line } from './chart.tsx';
import { FillView } from './fill-view.tsx';
import { MethodTable } from './method-table.tsx';
import { type Overview, overviewReader, recent } from './read-overview.ts';
import { formatMs, formatRate } from './rates-text.ts';
import { lagMs, roleText } from './role-text.ts';

export function OverviewPage(): JSX.Element {
  const { value, failure } = usePolled(useMemo(overviewReader, []));
  return (
    <div class="overview" aria-busy={value === undefined}>
      <header class="page-head">
        <h1>Overview</h1>
        {value !== undefined && <Health {...value} />}
      </header>
      {unreachable.value === undefined && <FailureNote failure={failure} />}
      {value !== undefined && (
        <>
          <Tiles {...value} />
          <MissingRight
            failure={value.activityFailure}
            what="Calls, their times and the event loop are"
            right="admin"
          />
          <Charts hasActivity={value.activityFailure === undefined} />
          {value.activityFailure === undefined && <MethodTable figures={value.figures} />}
          <FillView />
        </>
      )}
    </div>
  );
}

function Health({ status, readiness }: Overview): JSX.Element {
  const isGone = unreachable.value !== undefined;
  const words = isGone ? 'No answer' : readinessText(readiness, status);
  return (
    <p class="health">
      <span class={words === 'Serving' ? 'state' : 'state bad'}>{words}</span>
      <span class="hint">
        {roleText(status)}; version {status.version}
        {status.uptime !== undefined && `; up for ${formatSpan(1000 * Number(status.uptime.seconds))}`}
      </span>
    </p>
  );
}

function readinessText(readiness: string, status: StatusResponse): string {
  switch (readiness) {
    case 'readOnly':
      return 'Read-only: the disk has failed';
    case 'recovering':
      return 'Recovering';
    case 'stopping':
      return 'Stopping';
    default: {
      const lag = lagMs(status);
      return lag > 0 ? `Behind by ${formatSpan(lag)}` : 'Serving';
    }
  }
}

function Tiles({ status, activity, figures }: Overview): JSX.Element {
  const { storage, memoryBytes, memoryBytesMax } = status;
  return (
    <dl class="tiles">
      <Tile name="Revision" value={formatCount(status.revision)} href={addressOf('watch')}>
        {status.oldestRevision > 0n && `readable from ${formatCount(status.oldestRevision)}`}
      </Tile>
      <Tile name="Keys" value={formatCount(status.keyCount)} href={addressOf('keys')}>
        {formatCount(status.leaseCount)} {status.leaseCount === 1n ? 'lease' : 'leases'}
      </Tile>
      <Tile name="Memory" value={formatBytes(memoryBytes)}>
        <meter
          min={0}
          max={Number(memoryBytesMax)}
          high={0.9 * Number(memoryBytesMax)}
          value={Number(memoryBytes)}
          aria-label="Of the limit on memory"
        />
        of {formatBytes(memoryBytesMax)}; {formatBytes(status.residentBytes)} resident
      </Tile>
      <Tile name="Log" value={formatBytes(status.logBytes)}>
        {status.segmentCount} {status.segmentCount === 1 ? 'segment' : 'segments'}
      </Tile>
      {storage === undefined ? (
        <Tile name="Snapshots" value={formatCount(status.snapshotCount)} href={addressOf('snapshots')}>
          {status.snapshotCount > 0
            ? `${formatBytes(status.snapshotBytes)}; at revision ${formatCount(status.snapshotRevision)}`
            : 'none yet'}
        </Tile>
      ) : (
        <Tile
          name={`Engine ${status.engine}`}
          value={formatBytes(storage.diskBytes)}
          href={addressOf('snapshots')}
        >
          {storage.runs.length} {storage.runs.length === 1 ? 'file' : 'files'};{' '}
          {formatBytes(storage.liveBytes)} live
        </Tile>
      )}
      <Tile name="Watchers" value={formatCount(status.watcherCount)}>
        {activity !== undefined &&
          `${formatCount(activity.connectionCount)} connections, ${formatCount(activity.streamCount)} streams`}
      </Tile>
      {activity !== undefined && (
        <Tile name="Calls a second" value={figures === undefined ? '–' : formatRate(figures.callsPerSecond)}>
          {figures !== undefined &&
            `${formatRate(figures.errorsPerSecond)} errors; ${formatBytes(figures.receivedBytesPerSecond)} in, ${formatBytes(figures.sentBytesPerSecond)} out`}
        </Tile>
      )}
    </dl>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly href?: string;
  readonly children?: JSX.Element | string | false | (JSX.Element | string | number | false)[];
}

function Tile({ name, value, href, children }: TileProps): JSX.Element {
  return (
    <Fact name={name}>
      <span class="tile-value">{href === undefined ? value : <a href={href}>{value}</a>}</span>
      <span class="tile-note">{children}</span>
    </Fact>
  );
}

function Charts({ hasActivity }: { readonly hasActivity: boolean }): JSX.Element {
  const { seconds, shownMethods } = recent;
  const linesOf = (series: 'callsPerSecond' | 'p50Ms' | 'p99Ms'): Line[] =>
    shownMethods.map((name, color) => ({
      label: name ?? '',
      values: name === undefined ? [] : recent.method(name, series),
      color,
    }));
  const memory: Line[] = [
    { label: 'keys, values, history', values: recent.memoryBytes, color: 0 },
    { label: 'resident', values: recent.residentBytes, color: 1 },
  ];
  return (
    <section class="charts" aria-label="The last 15 minutes">
      {hasActivity && (
        <>
          <Chart
            title="Calls a second"
            seconds={seconds}
            lines={linesOf('callsPerSecond')}
            format={formatRate}
          />
          <Chart
            title="Half of the calls take up to (p50)"
            seconds={seconds}
            lines={linesOf('p50Ms')}
            format={formatMs}
          />
          <Chart
            title="99 of 100 calls take up to (p99)"
            seconds={seconds}
            lines={linesOf('p99Ms')}
            format={formatMs}
          />
          <Chart
            title="A flush of the log"
            seconds={seconds}
            lines={[{ label: 'mean', values: recent.flushMs, color: 0 }]}
            format={formatMs}
          />
          <Chart
            title="Delay of the event loop"
            seconds={seconds}
            lines={[{ label: 'p99', values: recent.loopDelayMs, color: 0 }]}
            format={formatMs}
          />
        </>
      )}
      <Chart title="Memory" seconds={seconds} lines={memory} format={formatBytes} isBinary />
    </section>
  );
}
