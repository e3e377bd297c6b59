/** What is in a collection. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Key } from '../bytes/key-name.ts';
import { brief, formatCount } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import { useAct } from '../parts/act.ts';
import { type Operation, changeElements, removalOf } from './element-changes.ts';
import { ElementForm } from './element-form.tsx';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { type Element, columnsByType, readElements } from './elements.ts';
import type { Entry } from './entry.ts';
import { typeName } from './type-mark.tsx';

interface ElementViewProps {
  readonly name: Key;
  readonly entry: Entry;
  readonly onChanged: () => void;
}

interface Read {
  readonly elements: readonly Element[];
  readonly count: bigint;
  readonly next: string;
}

export function ElementView({ name, entry, onChanged }: ElementViewProps): JSX.Element {
  const { type } = entry;
  const columns = columnsByType[type];
  const [read, setRead] = useState<Read>();
  const [failure, setFailure] = useState<Failure>();
  const leaving = useRef(new AbortController());
  const work = useAct();
  const [hasChanged, setChanged] = useState(false);
  const change = (operation: Operation): void =>
    work.run(
      () => changeElements(name, entry.modRevision, operation),
      (isMade) => (isMade ? onChanged() : setChanged(true)),
    );

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
              {type !== ValueType.LIST && (
                <th scope="col">
                  <span class="unseen">What can be done</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {elements.map((element, index) => (
              <tr key={index}>
                {element.map((cell, column) => (
                  <td key={column}>{typeof cell === 'string' ? cell : brief(cell, 500)}</td>
                ))}
                {type !== ValueType.LIST && (
                  <td>
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Remove ${nameOf(type, element)}`}
                      disabled={work.isBusy}
                      onClick={() => {
                        const removal = removalOf(name, type, element);
                        if (removal !== undefined) change(removal);
                      }}
                    >
                      ×
                    </button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ElementForm name={name} type={type} isBusy={work.isBusy} onChange={change} />
      {hasChanged && (
        <p class="failure" role="alert">
          <strong>Not written.</strong> Something else has changed the key since you saw it. Read it again
          first.
        </p>
      )}
      <FailureNote failure={work.failure} />
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

function nameOf(type: ValueType, [first, second]: Element): string {
  const cell = type === ValueType.SORTED_SET ? second : first;
  return cell instanceof Uint8Array ? brief(cell, 80) : String(cell);
}
