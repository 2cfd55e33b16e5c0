# syntax=docker/dockerfile:1
# One image for amd64 and arm64: everything comes from Debian packages and PyPI wheels.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/whatsapp-etl
COPY requirements.lock requirements-ocr.lock ./
RUN /opt/whatsapp-etl/bin/pip install --require-hashes -r requirements.lock
# `--build-arg OCR=true` adds RapidOCR with its models, some 360 MB, for IMAGE_PROCESSING_ENABLED=true.
ARG OCR=false
RUN case "${OCR}" in \
        true) /opt/whatsapp-etl/bin/pip install --require-hashes -r requirements-ocr.lock ;; \
        false) ;; \
        *) echo "OCR is true or false, not ${OCR}." >&2; exit 2 ;; \
    esac
COPY pyproject.toml README.md LICENSE ./
COPY selectors ./selectors
COPY migrations ./migrations
COPY whatsapp_etl ./whatsapp_etl
# The build backend stays in this stage; the wheel carries selectors and migrations.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install "hatchling>=1.27" \
    && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/whatsapp-etl/bin/pip install --no-deps /wheels/*.whl

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="whatsapp_etl" \
      org.opencontainers.image.licenses="MIT"
# One browser: Debian's Chromium, with fonts so that emoji and non-Latin scripts have glyphs.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-liberation fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 etl \
    && useradd --uid 10001 --gid etl --create-home --home-dir /home/etl --shell /usr/sbin/nologin etl \
    && install --directory --owner=etl --group=etl --mode=0700 \
        /data /data/attachments /data/whatsapp_profile /data/spool /data/postgres
COPY --from=build /opt/whatsapp-etl /opt/whatsapp-etl
ENV PATH=/opt/whatsapp-etl/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 \
    WHATSAPP_ETL_CONTAINER=1 \
    BROWSER_EXECUTABLE=/usr/bin/chromium \
    HOST=0.0.0.0 \
    PORT=8080
# By number, so that an orchestrator sees that it is not root.
USER 10001:10001
WORKDIR /home/etl
VOLUME ["/data/attachments", "/data/whatsapp_profile", "/data/spool", "/data/postgres"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# Alive only: a logged-out session must not restart the container in a loop.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8080') + '/healthz', timeout=4)"]
ENTRYPOINT ["whatsapp-etl"]
CMD ["run"]
