/** A command to copy. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

export function CopiedText({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // A page that came by plain HTTP from another machine has no clipboard: it is there to be selected.
    }
  }
  return (
    <div class="copied">
      <h3>{label}</h3>
      <p>
        <code>{text}</code>
        <button type="button" class="quiet" onClick={() => void copy()}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      </p>
    </div>
  );
}
