# The image of zunlet: Node and one file. Both bases are build arguments, so that copies of your own registry will do.
# For two architectures: docker buildx build --platform linux/amd64,linux/arm64 --tag …
ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

# The bundle is the same for every architecture, so it is made on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts ./scripts
COPY src ./src
COPY deploy/examples ./deploy/examples
RUN node scripts/build.ts dist && node dist/zunlet.mjs version

# Node of the image's architecture.
FROM ${BUILD_IMAGE} AS node

# All files with one date, so that the same source and bases make the same layers. Nothing of the image's architecture runs here.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS files
ARG SOURCE_DATE_EPOCH=0
COPY --from=node /usr/local/bin/node /files/usr/local/bin/node
COPY --from=build --chmod=0555 /src/dist /files/opt/zunlet
COPY --from=build --chmod=0444 /src/package.json /files/opt/zunlet/
RUN find /files -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="zunlet" \
      org.opencontainers.image.description="A Kubernetes node that runs Pods as OpenStack Zun capsules" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=files /files /
# A small nursery of V8: a fifth less memory with a thousand Pods at the same speed (docs/measurements.md).
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=4
USER 65532:65532
# Kubernetes asks by its own probes; this is for docker run. The page is at the default of the option healthAddress.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["/usr/local/bin/node", "-e", "fetch('http://127.0.0.1:10248/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
EXPOSE 10250 10248
ENTRYPOINT ["/usr/local/bin/node", "/opt/zunlet/zunlet.mjs"]
CMD ["run"]
