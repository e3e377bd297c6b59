/** What the charts show of methods, as numbers of the last second. */
import type { JSX } from 'preact';
import type { Figures } from './figures.ts';
import { formatMs, formatRate } from './rates-text.ts';

export function MethodTable({ figures }: { readonly figures: Figures | undefined }): JSX.Element {
  const methods = figures?.methods ?? [];
  return (
    <section class="methods">
      <h2 id="methods-title">Calls by method</h2>
      <p class="hint">Of the last second, through all doors; this page itself makes two a second.</p>
      <div class="table-box" tabIndex={0} role="region" aria-labelledby="methods-title">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Calls/s</th>
              <th scope="col">Errors/s</th>
              <th scope="col">Under way</th>
              <th scope="col">p50</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            {methods.map(({ name, callsPerSecond, errorsPerSecond, inProgressCount, p50Ms, p99Ms }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{formatRate(callsPerSecond)}</td>
                <td>{formatRate(errorsPerSecond)}</td>
                <td>{inProgressCount}</td>
                <td>{p50Ms === undefined ? '–' : formatMs(p50Ms)}</td>
                <td>{p99Ms === undefined ? '–' : formatMs(p99Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
