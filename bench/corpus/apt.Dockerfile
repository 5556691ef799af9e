# Programs of Debian: a layer of what everybody adds, one of the program, and small ones.
ARG FROM
FROM ${FROM}
ARG DEBIAN_FRONTEND=noninteractive
ARG SOURCE_DATE_EPOCH
ARG TOOLS
RUN apt-get update && apt-get install --yes --no-install-recommends ${TOOLS} && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
ARG PACKAGES
RUN apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES} && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin
ARG FAMILY
RUN useradd --create-home "site-${FAMILY}"
COPY entrypoint.sh /usr/local/bin/
WORKDIR /srv
ENTRYPOINT ["entrypoint.sh"]
