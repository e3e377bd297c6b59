/** What is in a collection. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../bytes/key-name.ts';
import { brief, formatCount } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { type Element, columnsByType, readElements } from './elements.ts';
import type { Entry } from './entry.ts';
import { typeName } from './type-mark.tsx';

interface ElementViewProps {
  readonly name: Key;
  readonly entry: Entry;
}

interface Read {
  readonly elements: readonly Element[];
  readonly count: bigint;
  readonly next: string;
}

export function ElementView({ name, entry: { type } }: ElementViewProps): JSX.Element {
  const columns = columnsByType[type];
  const [read, setRead] = useState<Read>();
  const [failure, setFailure] = useState<Failure>();
  const leaving = useRef(new AbortController());

  async function readOn(before: Read | undefined): Promise<void> {
    const { signal } = leaving.current;
    try {
      const page = await readElements(name, type, { revision: 0n, next: before?.next ?? '', signal });
      setFailure(undefined);
      setRead({ ...page, elements: [...(before?.elements ?? []), ...page.elements] });
    } catch (error) {
      if (!signal.aborted) setFailure(failureOf(error));
    }
  }

  useEffect(() => {
    leaving.current = new AbortController();
    if (columns !== undefined) void readOn(undefined);
    return () => leaving.current.abort();
  }, []);

  if (columns === undefined) {
    return <p class="hint">What a {typeName(type)} holds can't be listed.</p>;
  }
  if (read === undefined) return <FailureNote failure={failure} />;
  const { elements, count, next } = read;
  const isFull = elements.length >= limits.elementsMax;
  return (
    <>
      <p class="hint">
        {formatCount(elements.length)} of {formatCount(count)} elements
        {isFull && next !== '' && '; more are not shown here'}
      </p>
      <div class="table-box" tabIndex={0} role="region" aria-label="Elements">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {elements.map((element, index) => (
              <tr key={index}>
                {element.map((cell, column) => (
                  <td key={column}>{typeof cell === 'string' ? cell : brief(cell, 500)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <FailureNote failure={failure} />
      {next !== '' && !isFull && (
        <p class="actions">
          <button type="button" onClick={() => void readOn(read)}>
            More
          </button>
        </p>
      )}
    </>
  );
}
