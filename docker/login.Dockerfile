# syntax=docker/dockerfile:1
# The window of `whatsapp-etl login` in a browser elsewhere, for what only a person can answer: a passkey, an app lock.
# Built on the service's own image, so that the profile is written by the same Chromium.
ARG BASE=whatsapp-etl
FROM ${BASE}
USER root
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends novnc tigervnc-standalone-server tigervnc-tools websockify \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=0755 docker/login-over-vnc.sh /usr/local/bin/login-over-vnc
USER 10001:10001
EXPOSE 6080
# It lives as long as one login, and says itself how that ended.
HEALTHCHECK NONE
ENTRYPOINT ["login-over-vnc"]
CMD []
