/** Which page is shown, and of what: the part of the address behind `#`, so that the server has one page, and a link leads back to a key. */
import { signal } from '@preact/signals';

export interface Route {
  readonly page: string;
  readonly parameters: URLSearchParams;
}

export const route = signal(routeIn(location.hash));

addEventListener('hashchange', () => {
  route.value = routeIn(location.hash);
});

function routeIn(hash: string): Route {
  const [page = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { page, parameters: new URLSearchParams(query) };
}

export function addressOf(
  page: string,
  parameters: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => (pair[1] ?? '') !== '');
  const query = new URLSearchParams(given).toString();
  return `#/${page}${query === '' ? '' : `?${query}`}`;
}

/** @param isStep whether the browser's way back leads here again. */
export function go(address: string, { isStep = true }: { readonly isStep?: boolean } = {}): void {
  if (address === location.hash) return;
  if (isStep) location.hash = address;
  else {
    history.replaceState(null, '', address);
    route.value = routeIn(address);
  }
}

/** Changes some parameters of the page that is shown; an empty one is taken away. */
export function change(
  parameters: Readonly<Record<string, string>>,
  options?: { readonly isStep?: boolean },
): void {
  const { page, parameters: present } = route.peek();
  go(addressOf(page, { ...Object.fromEntries(present), ...parameters }), options);
}
