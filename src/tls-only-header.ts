/**
 * The header by which a server tells a client in plain text that its port speaks TLS alone. It says by itself what gRPC
 * has no code for: that UNAVAILABLE does not pass.
 */
export const TLS_ONLY_HEADER = 'kelp-tls-only';
