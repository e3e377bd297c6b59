/** A line for the shell's words, for pages and for keys by name, over whatever page is shown; its answers stay for the life of the tab. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { mayHoldSecret } from '../../shell-words/login-words.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { failureOf } from '../calls/failure.ts';
import { after } from '../page/clock.ts';
import { limits } from '../page/limits.ts';
import { go } from '../page/route.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useFocus } from '../parts/focus.ts';
import { type Offer, type PageName, keyOffers, offersOf } from './offers.ts';
import { runLine } from './run-line.ts';

interface Answer {
  readonly line: string;
  readonly text: string;
  readonly isFailure: boolean;
}

export const isPaletteOpen = signal(false);
const answers = signal<readonly Answer[]>([]);
/** The lines that were run, the latest last. */
let history: readonly string[] = [];

const TYPING_MS = 120;

export function openPalette(): void {
  isPaletteOpen.value = true;
}

/** Opens it by Ctrl+K, and by `:` where no text is being typed. */
export function usePaletteKeys(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      const isWanted =
        (event.key.toLowerCase() === 'k' &&
          (event.ctrlKey || event.metaKey) &&
          !event.shiftKey &&
          !event.altKey) ||
        (event.key === ':' && !isTyping);
      // A question has to be answered first.
      if (!isWanted || document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      openPalette();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
}

export function Palette({ pages }: { readonly pages: readonly PageName[] }): JSX.Element {
  const [line, setLine] = useState('');
  const [keys, setKeys] = useState<readonly Offer[]>([]);
  const [current, setCurrent] = useState(-1);
  const [isBusy, setBusy] = useState(false);
  /** How many lines back in the history. */
  const back = useRef(0);
  const leaving = useRef(new AbortController());
  const inputRef = useFocus<HTMLInputElement>();
  const logRef = useRef<HTMLDivElement>(null);
  const offers = [...offersOf(line, pages), ...keys].slice(0, 2 * limits.offers);
  const close = (): void => {
    isPaletteOpen.value = false;
  };

  useEffect(() => () => leaving.current.abort(), []);
  useEffect(() => {
    const asking = new AbortController();
    const cancel = after(TYPING_MS, () => {
      keyOffers(line, asking.signal).then(
        (found) => {
          if (!asking.signal.aborted) setKeys(found);
        },
        // What can't be found is not offered.
        () => {
          if (!asking.signal.aborted) setKeys([]);
        },
      );
    });
    return () => {
      cancel();
      asking.abort();
    };
  }, [line]);
  useEffect(() => {
    logRef.current?.lastElementChild?.scrollIntoView({ block: 'end' });
  }, [answers.value]);

  function type(text: string): void {
    setLine(text);
    setKeys([]);
    setCurrent(-1);
  }

  function take({ act }: Offer): void {
    if (act.kind === 'type') type(act.line);
    else {
      go(act.address);
      close();
    }
  }

  async function run(): Promise<void> {
    const typed = line.trim();
    if (typed === '' || isBusy) return;
    if (!mayHoldSecret(typed)) history = [...history, typed].slice(-limits.paletteLines);
    back.current = 0;
    setBusy(true);
    try {
      const text = await runLine(typed, leaving.current.signal);
      if (text !== undefined) tell({ line: typed, text, isFailure: false });
      type('');
    } catch (error) {
      const text = error instanceof UsageError ? error.message : failureOf(error).message;
      tell({ line: mayHoldSecret(typed) ? '' : typed, text, isFailure: true });
    } finally {
      setBusy(false);
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    const { key } = event;
    const offer = offers[current];
    if (key === 'ArrowDown' && offers.length > 0 && back.current === 0)
      setCurrent(Math.min(offers.length - 1, current + 1));
    else if (key === 'ArrowUp' && current >= 0) setCurrent(current - 1);
    else if (key === 'ArrowUp' || key === 'ArrowDown') recall(key === 'ArrowUp' ? 1 : -1);
    else if (key === 'Tab' && !event.shiftKey && offers.length > 0 && line !== '') {
      const next = offer ?? offers.find(({ act }) => act.kind === 'type');
      if (next === undefined) return;
      take(next);
    } else if (key === 'Enter' && offer !== undefined) take(offer);
    else if (key === 'Enter') void run();
    else return;
    event.preventDefault();
  }

  function recall(step: number): void {
    back.current = Math.min(history.length, Math.max(0, back.current + step));
    type(back.current === 0 ? '' : (history.at(-back.current) ?? ''));
  }

  return (
    <Dialog title="Commands" onClose={close}>
      <div ref={logRef} class="answers" role="log" aria-label="Answers" tabIndex={0}>
        {answers.value.map(({ line, text, isFailure }, index) => (
          <div key={index}>
            {line !== '' && <p class="asked">{line}</p>}
            <pre class={isFailure ? 'failure' : undefined}>{text}</pre>
          </div>
        ))}
        {answers.value.length === 0 && (
          <p class="hint">
            A command such as SET or GET, a page, or the beginning of a key. HELP lists the commands.
          </p>
        )}
      </div>
      <input
        ref={inputRef}
        class="mono"
        role="combobox"
        aria-label="Command, page or key"
        aria-expanded={offers.length > 0}
        aria-controls="palette-offers"
        aria-activedescendant={current >= 0 && current < offers.length ? `offer-${current}` : undefined}
        aria-autocomplete="list"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={line}
        onInput={(event) => {
          back.current = 0;
          type(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
      />
      <div class="offers-place">
        {offers.length > 0 && (
          <div id="palette-offers" class="offers" role="listbox" aria-label="Offers">
            {offers.map((offer, index) => (
              <div
                key={`${index} ${offer.label}`}
                id={`offer-${index}`}
                role="option"
                aria-selected={index === current}
                onClick={() => {
                  take(offer);
                  inputRef.current?.focus();
                }}
              >
                <span class="key-name">{offer.label}</span>
                <span class="hint">{offer.detail}</span>
              </div>
            ))}
          </div>
        )}
      </div>
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={() => void run()}>
          Run
        </button>
        <button type="button" onClick={close}>
          Close
        </button>
      </p>
    </Dialog>
  );
}

function tell({ text, ...rest }: Answer): void {
  const shown = text.length > limits.answerCharacters ? `${text.slice(0, limits.answerCharacters)}…` : text;
  answers.value = [...answers.value, { ...rest, text: shown }].slice(-limits.paletteAnswers);
}
