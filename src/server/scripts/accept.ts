/** Which of two forms a client would rather have, by `Accept` (RFC 9110, section 12.5.1). */

/** Whether it asks for JSON by name, and for no form of Prometheus' rather. */
export function wantsJson(accept: string | undefined): boolean {
  const json = rankOf(accept, /^application\/json$/);
  const text = rankOf(accept, /^(?:text\/(?:plain|\*)|application\/openmetrics-text)$/);
  return (
    json.weight > 0 && (json.weight > text.weight || (json.weight === text.weight && json.place < text.place))
  );
}

/** Of the types that are listed by these names: the highest weight, and the place of the first that has it. */
function rankOf(accept = '', names: RegExp): { readonly weight: number; readonly place: number } {
  let best = { weight: 0, place: Infinity };
  for (const [place, item] of accept.split(',').entries()) {
    const [type = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    if (!names.test(type)) continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (weight > best.weight) best = { weight, place };
  }
  return best;
}
