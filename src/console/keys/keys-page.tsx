/** The page of keys: on one side which keys there are, on the other what the chosen one holds. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Key, idOf, keyWithId } from '../bytes/key-name.ts';
import { after } from '../page/clock.ts';
import { change, route } from '../page/route.ts';
import { CreateKey } from './create-key.tsx';
import { EntryPane } from './entry-pane.tsx';
import { KeyList } from './key-list.tsx';
import { KeyTreeView } from './key-tree-view.tsx';

/** How long the search waits for the next letter. */
const TYPING_MS = 200;

const DEFAULT_SEPARATOR = '/';

type By = 'prefix' | 'glob';

export function KeysPage(): JSX.Element {
  const { parameters } = route.value;
  const by: By = parameters.get('by') === 'glob' ? 'glob' : 'prefix';
  const text = parameters.get('q') ?? '';
  const separator = parameters.get('sep') ?? DEFAULT_SEPARATOR;
  const isTree = parameters.get('view') !== 'list' && by === 'prefix' && separator !== '';
  const chosen = keyWithId(parameters.get('key') ?? '');
  const [isCreating, setCreating] = useState(false);
  const [turn, setTurn] = useState(0);
  const choose = (key: Key | undefined): void => {
    setCreating(false);
    change({ key: key === undefined ? '' : idOf(key) });
  };
  const hasPane = isCreating || chosen !== undefined;
  return (
    <div class={hasPane ? 'keys has-pane' : 'keys'}>
      <h1 class="unseen">Keys</h1>
      <section class="keys-side" aria-label="Which keys">
        <SearchBar by={by} text={text} separator={separator} isTree={isTree} />
        {isTree ? (
          <KeyTreeView
            key={`${turn} ${separator} ${text}`}
            prefix={text}
            separator={separator}
            chosen={chosen}
            onChoose={choose}
          />
        ) : (
          <KeyList key={`${turn} ${by} ${text}`} by={by} text={text} chosen={chosen} onChoose={choose} />
        )}
        <p class="keys-actions">
          <button type="button" onClick={() => setCreating(true)}>
            New key
          </button>
          <button type="button" class="quiet" onClick={() => setTurn(turn + 1)}>
            Read again
          </button>
        </p>
      </section>
      <section class="keys-pane" aria-label="The chosen key">
        {isCreating ? (
          <CreateKey
            start={by === 'prefix' ? text : ''}
            onDone={(key) => {
              setTurn(turn + 1);
              choose(key);
            }}
            onCancel={() => setCreating(false)}
          />
        ) : chosen === undefined ? (
          <p class="nothing">Choose a key to see what it holds.</p>
        ) : (
          <EntryPane
            key={idOf(chosen)}
            name={chosen}
            onClose={() => choose(undefined)}
            onPresence={() => setTurn((turn) => turn + 1)}
          />
        )}
      </section>
    </div>
  );
}

interface SearchBarProps {
  readonly by: By;
  readonly text: string;
  readonly separator: string;
  readonly isTree: boolean;
}

function SearchBar({ by, text, separator, isTree }: SearchBarProps): JSX.Element {
  const [typed, setTyped] = useState(text);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return undefined;
    return after(TYPING_MS, () => change({ q: typed }, { isStep: false }));
  }, [typed]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (event.key !== '/' || isTyping) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <search class="search">
      <div class="search-line">
        <select
          aria-label="Search by"
          value={by}
          onChange={(event) => change({ by: event.currentTarget.value })}
        >
          <option value="prefix">Prefix</option>
          <option value="glob">Glob</option>
        </select>
        <input
          ref={field}
          type="search"
          aria-label={by === 'prefix' ? 'Keys that begin with' : 'Keys that match'}
          aria-keyshortcuts="/"
          placeholder={by === 'prefix' ? 'such as config/' : 'such as user:*:name'}
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      {by === 'prefix' && (
        <div class="search-line">
          <fieldset class="choice">
            <legend class="unseen">Show as</legend>
            {(['tree', 'list'] as const).map((view) => (
              <label key={view}>
                <input
                  type="radio"
                  name="view"
                  checked={isTree === (view === 'tree')}
                  onChange={() =>
                    change({
                      view,
                      ...(view === 'tree' && separator === '' ? { sep: DEFAULT_SEPARATOR } : {}),
                    })
                  }
                />
                {view === 'tree' ? 'Tree' : 'List'}
              </label>
            ))}
          </fieldset>
          {isTree && (
            <label class="separator">
              Separator
              <input
                maxLength={8}
                size={2}
                value={separator}
                onChange={(event) =>
                  change({ sep: event.currentTarget.value || DEFAULT_SEPARATOR }, { isStep: false })
                }
              />
            </label>
          )}
        </div>
      )}
    </search>
  );
}
