# More programs of Debian, on an image that has some: one layer, and a small one.
ARG FROM
FROM ${FROM}
ARG DEBIAN_FRONTEND=noninteractive
ARG SOURCE_DATE_EPOCH
ARG PACKAGES
RUN apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES} && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
RUN mkdir --mode 1777 /srv/work
WORKDIR /srv/work
