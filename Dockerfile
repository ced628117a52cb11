# The image of Belay: docker build -t registry.example.com/belay:0.1.0 .
# Any Swift from 6.2 on for Debian 12 will do: --build-arg SWIFT_IMAGE=swift:6.3-bookworm
ARG SWIFT_IMAGE=swift:6.2-bookworm

FROM ${SWIFT_IMAGE} AS build
# The libraries that Package.swift names. Versions are those of Debian 12, with its security updates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev \
        libpg-query-dev \
        libpq-dev \
        libsqlite3-dev \
        libyaml-dev \
        pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /belay
COPY . .
RUN swift build -c release --static-swift-stdlib --product reconcile \
    && install -D --strip "$(swift build -c release --static-swift-stdlib --show-bin-path)/reconcile" /out/reconcile

FROM debian:bookworm-slim
# The libraries that the program is linked with (a test compares this list with it), and the programs that it runs: git and ssh for
# specs in repositories, pg_dump and pg_restore for backups. Nothing of what Belay does needs a shell.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates \
        git \
        libcurl4 \
        libgcc-s1 \
        libpg-query1504.0 \
        libpq5 \
        libsqlite3-0 \
        libstdc++6 \
        libyaml-0-2 \
        openssh-client \
        postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
    && groupadd --gid 65532 belay \
    # ssh wants to know who it is.
    && useradd --uid 65532 --gid 65532 --home-dir /var/lib/belay --no-create-home --shell /usr/sbin/nologin belay \
    && install -d -o belay -g belay -m 0700 /var/lib/belay
COPY --from=build /out/reconcile /usr/local/bin/reconcile
COPY LICENSE /usr/share/doc/belay/LICENSE

# Clones and backups are kept in /var/lib/belay, temporary files in /tmp: two volumes, and the root file system may be read-only.
ENV HOME=/var/lib/belay \
    XDG_STATE_HOME=/var/lib
VOLUME ["/var/lib/belay"]
# Numbers, so that Kubernetes can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/reconcile"]

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="belay" \
    org.opencontainers.image.description="Rolls a whole system back, and forward again, by committing a version number" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}"
