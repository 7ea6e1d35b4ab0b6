# One image for both roles: the api (the default command) and the worker (`node --max-semi-space-size=64 dist/workers/main.js`).

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY workers workers
COPY web web
RUN npm run build
# Optional packages are the binaries of the embedded Postgres and natives that have a fallback: not for a container.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
# The volume for uploads and the made AUTH_SECRET takes its owner from here.
RUN mkdir -p /var/lib/tokencast && chown node:node /var/lib/tokencast
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/var/lib/tokencast
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/web/dist web/dist
COPY --from=build /app/dist dist
USER node
EXPOSE 3000
# WORKER_PORT is set for workers alone. Alive, not ready: an engine that restarts what is unhealthy must not do so
# because Redis is away. What does not answer in 3 s hangs: three times, and it is known after at most 24 s.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WORKER_PORT || process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# No npm and no shell in between: SIGTERM reaches node.
CMD ["node", "dist/src/main-api.js"]
