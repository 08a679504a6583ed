# syntax=docker/dockerfile:1

# ---- build: the one binary ----
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The caches live outside the image, so the binary is copied out of the one it was built in.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p server && cp target/release/sheaf /usr/local/bin/sheaf

# ---- run: the binary, the certificates, and curl for the health check ----
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home sheaf \
    && install -d -o sheaf -g sheaf /var/lib/sheaf /var/lib/sheaf/files
COPY --from=build /usr/local/bin/sheaf /usr/local/bin/sheaf
USER sheaf
WORKDIR /var/lib/sheaf
VOLUME /var/lib/sheaf
ENV SHEAF__SERVER__LISTEN=0.0.0.0:8000 \
    SHEAF__SERVER__DATA_DIR=/var/lib/sheaf
EXPOSE 8000
# `sheaf` is process 1 and drains on SIGTERM; give it longer than server.drain_secs before it is killed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["sheaf"]
CMD ["serve"]
