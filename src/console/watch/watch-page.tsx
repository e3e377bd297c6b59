/** The page of live changes, the newest first. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { EventType } from '../../../gen/kelp/v1/watch_pb.ts';
import { idOf, labelOf } from '../bytes/key-name.ts';
import { brief, formatBytes, formatCount } from '../bytes/text.ts';
import { answeredCount, lost, watches } from '../calls/server.ts';
import { after } from '../page/clock.ts';
import { addressOf, change, route } from '../page/route.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { ValueView } from '../parts/value-view.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { type Change, ChangeFeed, type FeedItem } from './change-feed.ts';

const TYPING_MS = 300;

const kinds: Readonly<Record<Change['kind'], EventType>> = {
  put: EventType.PUT,
  delete: EventType.DELETE,
  touch: EventType.TOUCH,
};
const allKinds = Object.keys(kinds) as readonly Change['kind'][];

const PROGRESS_SECONDS = 1n;

export function WatchPage(): JSX.Element {
  const { parameters } = route.value;
  const prefix = parameters.get('q') ?? '';
  const shownKinds = (parameters.get('kinds') ?? 'put,delete').split(',');
  const feed = useMemo(() => feedOf(prefix, shownKinds), [prefix, shownKinds.join()]);
  useEffect(() => {
    feed.resume();
    return () => (kept?.feed === feed ? feed.pause() : feed.stop());
  }, [feed]);
  const returns = answeredCount.value;
  useEffect(() => feed.retry(), [returns]);
  const [chosen, setChosen] = useState<Change>();
  return (
    <div class={chosen === undefined ? 'keys' : 'keys has-pane'}>
      <h1 class="unseen">Watch</h1>
      <section class="keys-side watch-side" aria-label="Changes">
        <Filters prefix={prefix} shownKinds={shownKinds} feed={feed} />
        <Changes feed={feed} chosen={chosen} onChoose={setChosen} />
        <FailureNote failure={feed.failure.value} />
        <FeedStatus feed={feed} />
      </section>
      <section class="keys-pane" aria-label="The chosen change">
        {chosen === undefined ? (
          <p class="nothing">Choose a change to see what was written.</p>
        ) : (
          <ChangePane change={chosen} onClose={() => setChosen(undefined)} />
        )}
      </section>
    </div>
  );
}

/** The one that was shown last stays while another page is shown, paused: who looks at a key and comes back misses nothing. */
let kept: { readonly id: string; readonly feed: ChangeFeed } | undefined;

function feedOf(prefix: string, shownKinds: readonly string[]): ChangeFeed {
  const id = JSON.stringify([prefix, shownKinds]);
  if (kept?.id !== id) kept = { id, feed: newFeed(prefix, shownKinds) };
  return kept.feed;
}

function newFeed(prefix: string, shownKinds: readonly string[]): ChangeFeed {
  return new ChangeFeed({
    open: (start, signal) =>
      watches.watch(
        {
          ranges: prefix === '' ? [] : [{ prefix }],
          eventTypes: allKinds.filter((kind) => shownKinds.includes(kind)).map((kind) => kinds[kind]),
          progressInterval: { seconds: PROGRESS_SECONDS, nanos: 0 },
          ...start,
        },
        { signal },
      ),
    lost: ({ message }) => lost(message),
    onFrame: (callback) => requestAnimationFrame(callback),
  });
}

interface FiltersProps {
  readonly prefix: string;
  readonly shownKinds: readonly string[];
  readonly feed: ChangeFeed;
}

function Filters({ prefix, shownKinds, feed }: FiltersProps): JSX.Element {
  const [typed, setTyped] = useState(prefix);
  useEffect(() => setTyped(prefix), [prefix]);
  useEffect(() => {
    if (typed === prefix) return undefined;
    return after(TYPING_MS, () => change({ q: typed }, { isStep: false }));
  }, [typed]);
  const state = feed.state.value;
  const isPaused = state === 'paused' || state === 'refused';
  return (
    <search class="search">
      <div class="search-line">
        <input
          type="search"
          aria-label="Keys that begin with"
          placeholder="all keys, or a prefix"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="button" onClick={() => (isPaused ? feed.resume() : feed.pause())}>
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      <fieldset class="choice">
        <legend class="unseen">What happened</legend>
        {allKinds.map((kind) => {
          const isShown = shownKinds.includes(kind);
          const others = shownKinds.filter((each) => each !== kind);
          return (
            <label key={kind}>
              <input
                type="checkbox"
                checked={isShown}
                disabled={isShown && others.length === 0}
                onChange={() =>
                  change({ kinds: (isShown ? others : [...others, kind]).join() }, { isStep: false })
                }
              />
              {kind}
            </label>
          );
        })}
      </fieldset>
    </search>
  );
}

interface ChangesProps {
  readonly feed: ChangeFeed;
  readonly chosen: Change | undefined;
  readonly onChoose: (change: Change) => void;
}

function Changes({ feed, chosen, onChoose }: ChangesProps): JSX.Element {
  const itemCount = feed.itemCount.value;
  const count = feed.keptCount;
  /** The number of the item that the keyboard is at: it stays with it while others come. */
  const [place, setPlace] = useState(-1);
  const choose = (index: number): void => {
    const item = feed.item(index);
    setPlace(itemCount - 1 - index);
    if (item !== undefined && item.kind !== 'gap') onChoose(item);
  };
  return (
    <VirtualList
      label="Changes"
      count={count}
      current={place < 0 || itemCount - 1 - place >= count ? -1 : itemCount - 1 - place}
      shift={-itemCount}
      onMove={(index) => setPlace(itemCount - 1 - index)}
      onOpen={choose}
      rowAttributes={(index) => ({
        role: 'option',
        'aria-selected': chosen !== undefined && feed.item(index) === chosen,
        onClick: () => choose(index),
      })}
      renderRow={(index) => <Row item={feed.item(index)} />}
    />
  );
}

function Row({ item }: { readonly item: FeedItem | undefined }): JSX.Element | null {
  if (item === undefined) return null;
  if (item.kind === 'gap') return <span class="key-name gap">Changes are missing here: {item.message}</span>;
  return (
    <>
      <span class="revision">{formatCount(item.revision)}</span>
      <span class={`kind ${item.kind}`}>{item.kind}</span>
      <span class="key-name">
        {labelOf(item.key)}
        <span class="count"> {item.kind === 'put' ? brief(item.value, 120) : item.reason}</span>
      </span>
    </>
  );
}

function FeedStatus({ feed }: { readonly feed: ChangeFeed }): JSX.Element {
  const revision = feed.revision.value;
  const words = {
    reading: 'Live',
    paused: 'Paused; what comes meanwhile follows when you go on',
    waiting: 'Waiting for the server',
    refused: 'Ended',
  };
  return (
    <p class="list-status">
      {words[feed.state.value]}
      {revision > 0n && `, up to revision ${formatCount(revision)}`}
      {`, ${formatCount(feed.keptCount)} changes`}
    </p>
  );
}

interface ChangePaneProps {
  readonly change: Change;
  readonly onClose: () => void;
}

function ChangePane({ change, onClose }: ChangePaneProps): JSX.Element {
  const { key, kind, revision, timeMs, value, valueBytes, reason } = change;
  const time = new Date(timeMs);
  return (
    <article class="entry">
      <header class="entry-head">
        <button type="button" class="quiet back" onClick={onClose}>
          <span aria-hidden="true">←</span> Changes
        </button>
        <h2 class="key-title">{labelOf(key)}</h2>
      </header>
      <dl class="facts">
        <div>
          <dt>What</dt>
          <dd>{reason === '' ? kind : `${kind}: ${reason}`}</dd>
        </div>
        <div>
          <dt>Revision</dt>
          <dd>{formatCount(revision)}</dd>
        </div>
        <div>
          <dt>At</dt>
          <dd>
            <time dateTime={time.toISOString()}>{time.toLocaleString()}</time>
          </dd>
        </div>
        {kind === 'put' && (
          <div>
            <dt>Size</dt>
            <dd>{formatBytes(valueBytes)}</dd>
          </div>
        )}
      </dl>
      <p class="actions">
        <a class="button" href={addressOf('keys', { key: idOf(key) })}>
          Show the key as it is now
        </a>
      </p>
      {kind === 'put' && (
        <>
          {value.length < valueBytes && (
            <p class="hint">
              The first {formatBytes(value.length)} of {formatBytes(valueBytes)}.
            </p>
          )}
          <ValueView value={value} />
        </>
      )}
    </article>
  );
}
