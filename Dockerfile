# syntax=docker/dockerfile:1

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build.ts tools/build-console.ts tools/
COPY gen gen
COPY src src
RUN npm run build -- kelpdb && npm prune --omit=dev

FROM node:24-slim
# All addresses, so it starts only with a decision about access: KELP_ROOT_PASSWORD_FILE with KELP_TLS_CERT and KELP_TLS_KEY, or
# KELP_ALLOW_PLAINTEXT; or KELP_ALLOW_ANONYMOUS. In the environment and not in CMD: options behind "docker run kelpdb serve" shall add to them, not replace them.
ENV NODE_ENV=production KELP_LISTEN=0.0.0.0:7379 KELP_DATA_DIR=/data
# Less memory for the same work: docs/decisions/0028-resident-memory.md. The young generation of V8's heap has 48 MiB at most, and the C library
# gives back what is freed, of which threads keep less.
ENV NODE_OPTIONS=--max-semi-space-size=16 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=1048576 MALLOC_TRIM_THRESHOLD_=1048576
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 7379
# /readyz answers 200 once the store is recovered and can write. Port and TLS are those of the environment; where they come
# from options behind "serve" or a kelp.yaml, or 127.0.0.1 is not listened on, give another one with --health-cmd. The
# certificate is not verified: it names the host that clients know, and this asks its own container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "const { KELP_LISTEN, KELP_TLS_CERT } = process.env; require(KELP_TLS_CERT ? 'https' : 'http').get({ host: '127.0.0.1', port: KELP_LISTEN.split(':').pop(), path: '/readyz', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENTRYPOINT ["node", "dist/kelp/main.cjs"]
CMD ["serve"]
