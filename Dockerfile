# One image for every part: ROLE (all, api, worker) picks what a container runs.
FROM node:24-slim

ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080
WORKDIR /app

# Without development's tools, and without the embedded PostgreSQL (an optional package of a package)
# that production never starts. No package needs its install script to run.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

COPY migrations ./migrations
COPY openapi ./openapi
COPY src ./src

# The files belong to root, so a process of the image cannot change them.
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# On SIGTERM it finishes what is under way, within 30 seconds.
CMD ["node", "src/main.ts", "start"]
