/**
 * Variables that Kubernetes sets in every container for each service of the namespace, and Docker for each link. For
 * services called `kelp` or `kelp-...` they begin like options of the environment, but they are not meant as such.
 *
 *     KELP_METRICS_SERVICE_HOST=10.0.0.11            KELP_METRICS_PORT=tcp://10.0.0.11:7379
 *     KELP_METRICS_SERVICE_PORT=7379                 KELP_METRICS_PORT_7379_TCP=tcp://10.0.0.11:7379
 *     KELP_METRICS_SERVICE_PORT_HTTP=7379            KELP_METRICS_PORT_7379_TCP_PROTO=tcp    _PORT=7379    _ADDR=10.0.0.11
 *     KELP_METRICS_NAME=/web/kelp-metrics            KELP_METRICS_ENV_NODE_VERSION=24.21.0
 *
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables,
 * https://docs.docker.com/engine/network/links/#environment-variables
 */

/** The value of a variable that stands for a port of a service; one named `PORT` has the name of an option. */
export const LINKED_PORT = /^(tcp|udp|sctp):\/\//;

/** What follows `KELP_` and the rest of a service's name, and what its value looks like. */
const links: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^SERVICE_HOST$/, /^[0-9A-Fa-f.:]+$/],
  [/^SERVICE_PORT(_[A-Z0-9_]+)?$/, /^\d+$/],
  [/^PORT$/, LINKED_PORT],
  [/^PORT_\d+_(TCP|UDP|SCTP)$/, LINKED_PORT],
  [/^PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR|PORT_START|PORT_END)$/, /^/],
  [/^PORT_\d+_(TCP|UDP|SCTP)_(START|END)$/, LINKED_PORT],
  [/^NAME$/, /^\/.+\/.+$/],
  [/^ENV_.+$/, /^/],
];

/** Whether a variable that is no option has the form of a link to a service. */
export function isServiceLink(variable: string, value: string): boolean {
  const words = variable.split('_');
  if (words[0] !== 'KELP') return false;
  // The name of the service may have words of its own, as many as it likes.
  return words.some((_, index) => {
    const ending = words.slice(index + 1).join('_');
    return links.some(([name, form]) => name.test(ending) && form.test(value));
  });
}
