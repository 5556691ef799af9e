# Node's own binary and npm, both from npm's registry.
ARG FROM
FROM ${FROM} AS unpacked
ADD node.tgz /node/
ADD npm.tgz /npm/
FROM ${FROM}
RUN useradd --uid 1000 --create-home node
COPY --from=unpacked /node/package/bin/node /usr/local/bin/node
COPY --from=unpacked /npm/package /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && node --version && npm --version
COPY entrypoint.sh /usr/local/bin/
ENTRYPOINT ["entrypoint.sh"]
