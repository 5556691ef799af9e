# All files of another image in one layer.
ARG FROM
FROM ${FROM} AS full
FROM scratch
COPY --from=full / /
ENTRYPOINT ["entrypoint.sh"]
