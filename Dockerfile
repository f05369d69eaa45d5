# The service and its built-in optimizer: one image that serves, and that runs steps in containers.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/burnish
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# All in one layer, so that what is not needed to run is in none.
RUN node scripts/build.mjs \
 && npm prune --omit=dev \
 && node scripts/slim-modules.mjs \
 && rm -r src scripts tsconfig.json package-lock.json .npmrc

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Burnish" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    BURNISH_DATA_DIR=/data
# The data folder is a volume; the service writes nowhere else but to it and to /tmp.
RUN mkdir /data && chown 1000:1000 /data
USER 1000:1000
VOLUME /data
EXPOSE 4580
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4580/readyz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/burnish/dist/cli/main.js"]
CMD ["serve", "--host", "0.0.0.0"]
COPY --from=build /opt/burnish /opt/burnish
