# The image of kiro-swarm, for those who have a container engine and a registry:
#     docker build --tag kiro-swarm:dev .
# hack/image makes the same image without either. A test compares this file with
# hack/lib/image/facts.py, so change both.

FROM debian:bookworm-20250520-slim AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      ca-certificates git openssh-client python3 \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/aux-cache \
 && groupadd --gid 65532 kiro \
 && useradd --uid 65532 --gid kiro --no-create-home --home-dir /home/kiro --shell /bin/sh kiro \
 && install --directory --owner=kiro --group=kiro /home/kiro

# Wheels only, every one pinned by hash; a virtual environment made by hand, because
# `python3 -m venv` would copy pip into it.
FROM base AS dependencies
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-pip \
 && rm -rf /var/lib/apt/lists/*
COPY requirements/runtime-py311.txt /tmp/requirements.txt
RUN pip install --quiet --no-cache-dir --no-compile --no-deps --require-hashes --only-binary=:all: \
      --target /opt/kiro-swarm/lib/python3.11/site-packages --requirement /tmp/requirements.txt \
 && rm -rf /opt/kiro-swarm/lib/python3.11/site-packages/bin \
 && printf 'home = /usr/bin\ninclude-system-site-packages = false\n' > /opt/kiro-swarm/pyvenv.cfg \
 && mkdir /opt/kiro-swarm/bin \
 && ln -s /usr/bin/python3 /opt/kiro-swarm/bin/python3 \
 && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/kiro-swarm/lib

FROM base AS package
WORKDIR /source
COPY hack/lib/image hack/lib/image
COPY operator operator
RUN python3 -m hack.lib.image.package /source /package \
 && python3 -m compileall -q --invalidation-mode unchecked-hash -s /package -p / /package/opt

FROM base
COPY --from=dependencies /opt/kiro-swarm /opt/kiro-swarm
COPY --from=package /package /
ENV HOME=/home/kiro \
    LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /
USER 65532:65532
ENTRYPOINT ["kiro-swarm"]
