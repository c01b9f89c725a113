# syntax=docker/dockerfile:1
# One gateway node. Build: docker build -t wardroom .   Run: see docker-compose.yml; the configuration is the environment.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY protocol/package.json ./protocol/
COPY sdk/package.json ./sdk/
COPY sdk-react/package.json ./sdk-react/
COPY web/package.json ./web/
RUN npm ci
COPY tsconfig.json tsconfig.build.json nest-cli.json prisma.config.ts ./
COPY prisma ./prisma
COPY scripts ./scripts
COPY protocol ./protocol
COPY src ./src
COPY sdk ./sdk
COPY drills ./drills
COPY web ./web
COPY docs ./docs
COPY README.md CONTRIBUTING.md CHANGELOG.md ./
# also the generated database client is compiled into dist/
RUN npm run build && rm -f dist/.built dist/.tsbuildinfo* protocol/dist/.tsbuildinfo && find dist protocol/dist -name '*.d.ts*' -delete

FROM node:22-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY protocol/package.json ./protocol/
COPY sdk/package.json ./sdk/
COPY sdk-react/package.json ./sdk-react/
COPY web/package.json ./web/
# the client of Prisma names its command line as an optional peer: without the devDependencies, prune takes that out (250 MB)
RUN npm ci --omit=dev && npm pkg delete devDependencies && npm prune --omit=dev && npm cache clean --force

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# node_modules/@wardroom/protocol leads here; the commands of dist/ import it
COPY --from=build /app/protocol/package.json ./protocol/
COPY --from=build /app/protocol/dist ./protocol/dist
COPY package.json LICENSE ./
# `npm run keys`, `audit` and `restore-fence`, and the health check
COPY scripts/with-try-out.mjs scripts/healthcheck.mjs ./scripts/
# `wardroom`, the command of operators
COPY cli ./cli
# read by dist/platform/stores/migrate.js at start
COPY prisma ./prisma
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "scripts/healthcheck.mjs"]
# node is PID 1 and handles SIGTERM itself (drain); give it time: docker stop -t 30
STOPSIGNAL SIGTERM
CMD ["node", "--no-allocation-site-pretenuring", "dist/main.js"]
