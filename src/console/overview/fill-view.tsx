/** What fills the store, by prefixes, each of which leads to its keys. */
import type { JSX } from 'preact';
import { toHex } from '../bytes/text.ts';
import { labelOf } from '../bytes/key-name.ts';
import { formatBytes, formatCount } from '../bytes/text.ts';
import { addressOf } from '../page/route.ts';
import { MissingRight } from '../parts/missing-right.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { fillReads } from './read-overview.ts';
import { type Fill, type FillRow, readFill } from './store-fill.ts';

export function FillView(): JSX.Element {
  const { value, failure, isLoading, reload } = useLoaded('fill', (signal) => readFill(fillReads, signal));
  return (
    <section class="fill" aria-busy={isLoading}>
      <header class="page-head">
        <h2 id="fill-title">What fills the store</h2>
        <button type="button" class="quiet" onClick={reload} disabled={isLoading}>
          {isLoading ? 'Reading' : 'Read again'}
        </button>
      </header>
      <MissingRight failure={failure} what="What fills the store is" right="read" />
      {value !== undefined && <FillTable {...value} />}
    </section>
  );
}

function FillTable({ keyCount, rows, otherCount }: Fill): JSX.Element {
  if (keyCount === 0) return <p class="hint">There are no keys.</p>;
  const most = Math.max(1, ...rows.map(({ bytes }) => bytes));
  return (
    <>
      <p class="hint">
        Keys are counted; bytes are an estimate from up to 16 entries of each prefix, without the elements of
        collections and without history.
      </p>
      {rows.length > 0 && (
        <div class="table-box" tabIndex={0} role="region" aria-labelledby="fill-title">
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">Prefix</th>
                <th scope="col">Keys</th>
                <th scope="col">About</th>
                <th scope="col" aria-label="Compared with the largest" />
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={toHex(row.prefix)}>
                  <th scope="row">
                    <Prefix {...row} />
                  </th>
                  <td>{formatCount(row.keyCount)}</td>
                  <td>{formatBytes(row.bytes)}</td>
                  <td class="bar">
                    <progress max={most} value={row.bytes} aria-hidden="true" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="hint">
        {otherCount > 0 &&
          `${formatCount(otherCount)} ${otherCount === 1 ? 'key lies' : 'keys lie'} elsewhere.`}
      </p>
    </>
  );
}

function Prefix({ prefix, text, separator }: FillRow): JSX.Element {
  const label = labelOf(text ?? prefix);
  if (text === undefined) return <>{label}</>;
  return <a href={addressOf('keys', { q: text, ...(separator !== '/' && { sep: separator }) })}>{label}</a>;
}
