#!/usr/bin/env bash
# Puts the real servers and the browser that the tests use on this machine: test/support/services.sh [name...]
# Names: redis postgresql pgbouncer chromium nginx haproxy caddy apache2 faketime django flask php; all of them when none is given. Does nothing for what is there already.
# Nothing it installs is started or enabled: the tests start their own, on free ports, in temporary folders.
set -euo pipefail
# Servers live there, and it is not on the path of every user.
PATH="$PATH:/usr/sbin"

# PgBouncer before 1.21 knows no prepared statements in transaction mode.
is_recent_pgbouncer() {
  local version
  version=$(pgbouncer --version 2>/dev/null | sed -n 's/^PgBouncer //p')
  [ -n "$version" ] && [ "$(printf '1.21\n%s\n' "$version" | sort -V | head -n 1)" = 1.21 ]
}

# Debian 12 has PgBouncer 1.18. The program is then built from the source package of Debian 13.
build_pgbouncer() {
  local work apt
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial"
  echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' >"$work/sources.list"
  apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  "${apt[@]}" update
  (cd "$work" && "${apt[@]}" source --download-only pgbouncer && mkdir source && tar -xf pgbouncer_*.orig.tar.* -C source --strip-components=1)
  (cd "$work/source" && ./configure --without-cares --without-pam --without-systemd && make pgbouncer && install -D pgbouncer /usr/local/sbin/pgbouncer)
  rm -rf "$work"
}

has() {
  case "$1" in
    redis) command -v redis-server ;;
    postgresql) command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' ;;
    pgbouncer) is_recent_pgbouncer ;;
    chromium) command -v chromium ;;
    nginx) command -v nginx ;;
    haproxy) command -v haproxy ;;
    caddy) command -v caddy ;;
    apache2) command -v apache2 ;;
    django | flask) /usr/bin/python3 -c "import $1" 2>/dev/null ;;
    php) command -v php ;;
    faketime) compgen -G '/usr/lib/*/faketime/libfaketime.so.1' ;;
    *)
      echo "services.sh: unknown name '$1'; known are: redis postgresql pgbouncer chromium nginx haproxy caddy apache2 faketime django flask php" >&2
      exit 2
      ;;
  esac >/dev/null
}

packages_of() {
  case "$1" in
    redis) echo redis-server ;;
    # Without a font every page is a page of empty boxes.
    chromium) echo chromium fonts-liberation ;;
    faketime) echo libfaketime ;;
    # The server alone, which nothing starts.
    apache2) echo apache2-bin ;;
    django | flask) echo "python3-$1" ;;
    php) echo php-cli ;;
    pgbouncer)
      if [ -n "$(apt-cache show 'pgbouncer' 2>/dev/null | sed -n 's/^Version: 1\.\(2[1-9]\|[3-9][0-9]\).*/recent/p')" ]; then
        echo pgbouncer
      else
        echo gcc make pkg-config libc6-dev libevent-dev libssl-dev
      fi
      ;;
    *) echo "$1" ;;
  esac
}

units_of() {
  case "$1" in
    redis) echo redis-server ;;
    chromium | apache2 | faketime | django | flask | php) ;;
    *) echo "$1" ;;
  esac
}

[ $# -gt 0 ] || set -- redis postgresql pgbouncer chromium nginx haproxy caddy apache2 faketime django flask php
missing=()
for name in "$@"; do
  has "$name" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

packages=()
units=()
for name in "${missing[@]}"; do
  read -ra more <<<"$(packages_of "$name")"
  packages+=("${more[@]}")
  read -ra more <<<"$(units_of "$name")"
  units+=(${more[@]+"${more[@]}"})
done

if ! command -v apt-get >/dev/null; then
  echo "The tests need: ${missing[*]}. Install them (on Debian: ${packages[*]}) and run again." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need: ${missing[*]}. Run once:  sudo $0 ${missing[*]}" >&2
  exit 1
fi

# Debian starts a service as soon as it is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

log=$(mktemp)
echo "Installing what the tests need: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
if ! {
  apt-get -qq -o DPkg::Lock::Timeout=300 update &&
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${packages[@]}"
} >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "Could not install ${packages[*]}; the whole log is in $log" >&2
  exit 1
fi
case " ${missing[*]} " in
  *' pgbouncer '*)
    if ! is_recent_pgbouncer && ! build_pgbouncer >"$log" 2>&1; then
      tail -n 20 "$log" >&2
      echo "Could not build pgbouncer; the whole log is in $log" >&2
      exit 1
    fi
    ;;
esac
rm -f "$log"

if [ -d /run/systemd/system ]; then
  for unit in ${units[@]+"${units[@]}"}; do
    systemctl --quiet disable "$unit" 2>/dev/null || true
  done
fi

for name in "${missing[@]}"; do
  has "$name" || { echo "services.sh: '$name' is installed and yet cannot be found" >&2; exit 1; }
done
