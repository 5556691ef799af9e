# A Python application in a virtual environment. The certificates stay in the stage that installs.
ARG FROM
FROM ${FROM} AS installed
COPY ca.crt /tmp/ca.crt
# With this, compiled modules hold hashes in place of times.
ARG SOURCE_DATE_EPOCH
RUN python3 -m venv /opt/venv
ARG PIP
RUN PIP_CERT=/tmp/ca.crt /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps ${PIP}
FROM ${FROM}
COPY --from=installed /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY app /srv/app
ARG VERSION
RUN echo "${VERSION}" > /srv/app/VERSION
USER 5000
CMD ["python3", "/srv/app/main.py"]
