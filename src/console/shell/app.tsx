/** The page around the pages: who is there, where one may go, and whether the server answers. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { forgetLogin, loggedInAs } from '../calls/login.ts';
import { identify, identity, needsLogin, tryNow, unreachable } from '../calls/server.ts';
import { AccessPage } from '../access/access-page.tsx';
import { KeysPage } from '../keys/keys-page.tsx';
import { ClusterPage } from '../cluster/cluster-page.tsx';
import { SnapshotsPage } from '../snapshots/snapshots-page.tsx';
import { OverviewPage } from '../overview/overview-page.tsx';
import { WatchPage } from '../watch/watch-page.tsx';
import { LeasesPage } from '../leases/leases-page.tsx';
import { Palette, isPaletteOpen, openPalette, usePaletteKeys } from '../palette/palette.tsx';
import { LoginPage } from './login-page.tsx';
import { addressOf, go, route } from '../page/route.ts';
import { nextTheme, theme } from '../page/theme.ts';

const icon = new URL('../icon.svg', import.meta.url).href;

interface PageOfConsole {
  readonly name: string;
  readonly title: string;
  readonly Content: () => JSX.Element;
}

const pages: readonly PageOfConsole[] = [
  { name: 'overview', title: 'Overview', Content: OverviewPage },
  { name: 'keys', title: 'Keys', Content: KeysPage },
  { name: 'watch', title: 'Watch', Content: WatchPage },
  { name: 'leases', title: 'Leases', Content: LeasesPage },
  { name: 'snapshots', title: 'Snapshots', Content: SnapshotsPage },
  { name: 'cluster', title: 'Cluster', Content: ClusterPage },
  { name: 'access', title: 'Access', Content: AccessPage },
];

export function App(): JSX.Element {
  usePaletteKeys();
  useEffect(() => void identify().catch(() => undefined), []);
  const page = pages.find(({ name }) => name === route.value.page);
  useEffect(() => {
    if (page === undefined) go(addressOf(pages[0]?.name ?? ''), { isStep: false });
    else document.title = `${page.title} - KelpDB ${location.host}`;
  }, [page]);
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to content
      </a>
      <Header />
      <LinkLine />
      <main id="content" tabIndex={-1}>
        {needsLogin.value ? <LoginPage /> : identity.value !== undefined && page && <page.Content />}
      </main>
      {isPaletteOpen.value && !needsLogin.value && <Palette pages={pages} />}
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#content')?.focus();
}

function Header(): JSX.Element {
  const { page } = route.value;
  const nav = useRef<HTMLElement>(null);
  // Where there is no room for all of them the row is scrolled.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [page]);
  return (
    <header class="top">
      <span class="brand">
        <img src={icon} alt="" width="20" height="20" />
        <span class="brand-name">KelpDB</span>
      </span>
      <nav ref={nav} aria-label="Pages">
        {pages.map(({ name, title }) => (
          <a key={name} href={addressOf(name)} aria-current={name === page ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <button type="button" class="quiet" aria-keyshortcuts="Control+K" onClick={openPalette}>
        Commands
      </button>
      <button type="button" class="quiet" onClick={nextTheme}>
        Theme: {theme.value}
      </button>
      <Who />
    </header>
  );
}

function Who(): JSX.Element | null {
  const who = identity.value;
  if (who === undefined || needsLogin.value) return null;
  if (loggedInAs.value === undefined) {
    return <span class="who">{who.isClosed ? who.user : 'open access'}</span>;
  }
  return (
    <span class="who">
      {who.user === '' ? 'open access' : who.user}{' '}
      <button type="button" class="quiet" onClick={logOut}>
        Log out
      </button>
    </span>
  );
}

/** The page begins anew: what it holds in memory, the next one who logs in may not be allowed to see. */
function logOut(): void {
  forgetLogin();
  location.reload();
}

/** Its place is kept free, so that nothing moves when it comes. */
function LinkLine(): JSX.Element {
  const reason = unreachable.value;
  return (
    <div class="link-line" role="status">
      {reason !== undefined && (
        <p>
          <span>
            The server does not answer ({reason}). What you see may be old; it is being tried again.
          </span>
          <button type="button" onClick={tryNow}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}
