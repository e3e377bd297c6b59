/** A field for a line of text. */
import type { JSX, RefObject } from 'preact';

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: 'text' | 'password';
  readonly placeholder?: string;
  readonly inputRef?: RefObject<HTMLInputElement | null>;
}

export function TextField({
  label,
  value,
  onValue,
  type = 'text',
  placeholder,
  inputRef,
}: TextFieldProps): JSX.Element {
  return (
    <label class="field">
      {label}
      <input
        {...(inputRef && { ref: inputRef })}
        {...(type === 'password' ? { type } : { type: 'text' as const })}
        autocomplete={type === 'password' ? 'new-password' : 'off'}
        spellcheck={false}
        placeholder={placeholder}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}
