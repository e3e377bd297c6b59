/** The fields by which an element is put into a collection, and the ends at which a list gives one. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ValueType } from '../../../gen/kelp/v1/types_pb.ts';
import type { Key } from '../bytes/key-name.ts';
import { Wrong } from '../parts/failure-note.tsx';
import { TextField } from '../parts/text-field.tsx';
import {
  type Operation,
  type TypedElement,
  popping,
  pushing,
  replacing,
  settingOf,
} from './element-changes.ts';

interface ElementFormProps {
  readonly name: Key;
  readonly type: ValueType;
  readonly isBusy: boolean;
  readonly onChange: (operation: Operation) => void;
}

/** What the two fields are called; none: there is one alone. */
const names: Readonly<Partial<Record<ValueType, readonly [string, string]>>> = {
  [ValueType.HASH]: ['Field', 'Value'],
  [ValueType.LIST]: ['Index', 'Element'],
  [ValueType.SET]: ['', 'Member'],
  [ValueType.SORTED_SET]: ['Score', 'Member'],
};

export function ElementForm({ name, type, isBusy, onChange }: ElementFormProps): JSX.Element | null {
  const [typed, setTyped] = useState<TypedElement>({ name: '', value: '' });
  const [wrong, setWrong] = useState<string>();
  const labels = names[type];
  if (labels === undefined) return null;
  function change(operation: Operation | undefined, rule: string): void {
    setWrong(operation === undefined ? rule : undefined);
    if (operation !== undefined) onChange(operation);
  }
  return (
    <form
      class="dialog-form"
      aria-label="Change elements"
      onSubmit={(event) => {
        event.preventDefault();
        change(settingOf(name, type, typed), 'A score is a number.');
      }}
    >
      <div class="field-line">
        {labels[0] !== '' && (
          <TextField
            label={labels[0]}
            value={typed.name}
            onValue={(text) => setTyped({ ...typed, name: text })}
          />
        )}
        <TextField
          label={labels[1]}
          value={typed.value}
          onValue={(text) => setTyped({ ...typed, value: text })}
        />
        <button type="submit" disabled={isBusy}>
          {type === ValueType.LIST ? 'Push last' : type === ValueType.SET ? 'Add' : 'Set'}
        </button>
        {type === ValueType.LIST && (
          <>
            <button
              type="button"
              disabled={isBusy}
              onClick={() => onChange(pushing(name, 'first', typed.value))}
            >
              Push first
            </button>
            <button
              type="button"
              disabled={isBusy}
              onClick={() =>
                change(replacing(name, typed), 'An index is a number: 0 is that of the first element.')
              }
            >
              Replace
            </button>
            <button type="button" disabled={isBusy} onClick={() => onChange(popping(name, 'first'))}>
              Pop first
            </button>
            <button type="button" disabled={isBusy} onClick={() => onChange(popping(name, 'last'))}>
              Pop last
            </button>
          </>
        )}
      </div>
      <Wrong text={wrong} />
      <p class="hint">It is written if nothing else has changed the key since you saw it.</p>
    </form>
  );
}
