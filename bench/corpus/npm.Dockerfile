# A Node application with its modules. The certificates stay in the stage that installs.
ARG FROM
FROM ${FROM} AS installed
COPY ca.crt /tmp/ca.crt
WORKDIR /srv/app
ARG NPM
ARG BEFORE
RUN NODE_EXTRA_CA_CERTS=/tmp/ca.crt npm install --cache /tmp/npm --no-audit --no-fund --no-update-notifier --ignore-scripts --before ${BEFORE} ${NPM}
FROM ${FROM}
WORKDIR /srv/app
COPY --from=installed /srv/app/node_modules ./node_modules
COPY --from=installed /srv/app/package.json /srv/app/package-lock.json ./
COPY app ./
ARG VERSION
RUN echo "${VERSION}" > VERSION
USER node
CMD ["node", "main.js"]
