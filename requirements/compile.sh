#!/bin/sh
# Compile requirements/*.in to pinned *.txt files; `make requirements` calls this with pip-compile on the PATH.
#
# In:  options passed on to pip-compile (`--upgrade`).
# The widest set is resolved first and constrains the others, so that one package has one version everywhere.
# mysqlclient is the exception to "wheels only": pip must build its metadata, which needs the headers (see mysql.in).
set -eu
cd "$(dirname "$0")"
export CUSTOM_COMPILE_COMMAND="make requirements"

compile() {
    # No index, host or machine path may get into the files: they must say the same wherever they are compiled.
    pip-compile --quiet --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host \
        --no-emit-find-links --no-emit-options "$@"
}

compile "$@" lint.in --output-file lint.txt
for name in base celery demo test mysql docs; do
    compile "$@" --constraint lint.txt "$name.in" --output-file "$name.txt"
done
