#!/bin/sh
# Install the MySQL/MariaDB driver into a virtual environment, if this machine can compile it.
#
# In:   $1 the environment's python; PIP_INSTALL the pip command to use; STAMP the file that says it is done.
# Out:  exit status 0 always, so that everything else goes on; a plain message on standard error when it was left out.
set -u
python=$1
pins=requirements/mysql.txt

if [ -e "$STAMP" ] && [ -z "$(find "$pins" -newer "$STAMP")" ]; then
    exit 0
fi

left_out() {
    echo "NOTE: the MySQL/MariaDB driver was left out: $1. Everything else works; tests on MariaDB will be skipped." >&2
    echo "      To have it (Debian): apt-get install gcc pkg-config python3.11-dev default-libmysqlclient-dev" >&2
    exit 0
}

command -v cc >/dev/null || command -v gcc >/dev/null || left_out "there is no C compiler"
command -v pkg-config >/dev/null || left_out "there is no pkg-config"
pkg-config --exists mysqlclient || pkg-config --exists mariadb || pkg-config --exists libmariadb \
    || left_out "the client library's headers are missing"
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
    || left_out "Python's headers are missing"

$PIP_INSTALL -r "$pins" || left_out "compiling it failed (see above)"
touch "$STAMP"
