#!/bin/sh
# Runs what it is given, with the settings of the site before those of the image.
set -e
if [ -r /etc/site.env ]; then
  . /etc/site.env
fi
exec "$@"
