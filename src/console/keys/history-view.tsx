/** The versions of a key that can still be read, and what is different in two of them. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../bytes/key-name.ts';
import { brief, formatBytes, formatCount } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { DiffView } from './diff-view.tsx';
import { type Entry, type Versions, isPlain, readVersions } from './entry.ts';

const ends: Readonly<Record<Versions['end'], string>> = {
  created: 'The key was created by the last of these.',
  compacted: 'Older versions are not kept any more.',
  more: '',
};

export function HistoryView({ name, newest }: { readonly name: Key; readonly newest: Entry }): JSX.Element {
  const [versions, setVersions] = useState<Versions>({ entries: [newest], end: 'more' });
  const [isReading, setReading] = useState(true);
  const [failure, setFailure] = useState<Failure>();
  const [pair, setPair] = useState<{ readonly one?: bigint; readonly other?: bigint }>({});
  const leaving = useRef(new AbortController());

  async function readOn({ entries }: Versions): Promise<void> {
    const { signal } = leaving.current;
    setReading(true);
    try {
      const older = await readVersions(name, entries.at(-1) ?? newest, signal);
      setVersions({ entries: [...entries, ...older.entries], end: older.end });
      setFailure(undefined);
    } catch (error) {
      if (!signal.aborted) setFailure(failureOf(error));
    } finally {
      setReading(false);
    }
  }

  useEffect(() => {
    leaving.current = new AbortController();
    void readOn(versions);
    return () => leaving.current.abort();
  }, []);

  const { entries, end } = versions;
  const one = entries.find(({ modRevision }) => modRevision === pair.one) ?? entries[1];
  const other = entries.find(({ modRevision }) => modRevision === pair.other) ?? entries[0];
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label="Versions">
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Revision</th>
              <th scope="col">Version</th>
              {isPlain(newest) && <th scope="col">Size</th>}
              {isPlain(newest) && <th scope="col">Value</th>}
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={String(entry.modRevision)}>
                {(['one', 'other'] as const).map((side) => (
                  <td key={side}>
                    <input
                      type="radio"
                      name={side}
                      aria-label={`Compare ${side === 'one' ? 'from' : 'to'} revision ${entry.modRevision}`}
                      checked={(side === 'one' ? one : other) === entry}
                      onChange={() => setPair({ ...pair, [side]: entry.modRevision })}
                    />
                  </td>
                ))}
                <td>{formatCount(entry.modRevision)}</td>
                <td>{formatCount(entry.version)}</td>
                {isPlain(entry) && <td>{formatBytes(entry.value.length)}</td>}
                {isPlain(entry) && <td class="brief">{brief(entry.value, 80)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <FailureNote failure={failure} />
      <p class="hint" role="status">
        {isReading ? 'Reading older versions' : ends[end]}
      </p>
      {end === 'more' && !isReading && entries.length < limits.versionsMax && (
        <p class="actions">
          <button type="button" onClick={() => void readOn(versions)}>
            Older versions
          </button>
        </p>
      )}
      {one !== undefined && other !== undefined && isPlain(one) && isPlain(other) && (
        <section aria-label="Difference">
          <h3>
            Revision {formatCount(one.modRevision)} to {formatCount(other.modRevision)}
          </h3>
          <DiffView before={one.value} after={other.value} />
        </section>
      )}
    </>
  );
}
