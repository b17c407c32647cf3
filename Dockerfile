# syntax=docker/dockerfile:1

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json vite*.config.ts ./
COPY client client
COPY src src
RUN npm run build:service

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
# The bundles have everything else in them: these are NOT_BUNDLED in vite.server.config.ts.
RUN npm pkg delete dependencies devDependencies peerDependencies peerDependenciesMeta \
  && for name in ioredis lmdb pino pino-pretty reflect-metadata; do npm pkg set "dependencies.$name=*"; done \
  && npm prune && mkdir journal

FROM node:22-bookworm-slim
LABEL org.opencontainers.image.title="Herald" \
  org.opencontainers.image.description="A push hub for the web: publish over HTTP, receive over Server-Sent Events." \
  org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
# The one place that is written to, with HERALD_JOURNAL=lmdb:/var/lib/herald: a volume that is mounted there begins as this
# user's own. Everything else may be read-only.
COPY --from=dependencies --chown=node:node /app/journal /var/lib/herald
# By its number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD ["node", "dist/server/healthcheck.js"]
# Node itself, with no npm or shell before it, so that it is the process that gets the signals.
CMD ["node", "--enable-source-maps", "dist/server/main.js"]
