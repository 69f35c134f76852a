# Shared by the scripts beside it: source it. Bash.

# The folder of the sources.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building and running needs, as Debian names it.
packages_build=(ca-certificates g++ cmake ninja-build apache2-bin apache2-dev libzmq3-dev cppzmq-dev zlib1g-dev
  libc-ares-dev libcli11-dev libssl-dev nlohmann-json3-dev)
packages_run=(apache2-bin curl procps)
packages_test=(catch2 libcurl4-openssl-dev make nghttp2-client openssl perl)
packages_ci=(chromium-headless-shell clang clang-format clang-tidy libclang-rt-dev)

die() {
  echo "$*" >&2
  exit 1
}

# Runs a command as root: directly, or through sudo, which its callers have looked for.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# install_packages PACKAGE...: no service of theirs is started, which would listen on port 80. Debian asks this program about that.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'as_root rm -f $policy' EXIT
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"
)

# need PACKAGE...: installs those that are missing, and says nothing when none is.
need() {
  command -v dpkg-query >/dev/null || return 0 # not a Debian: the build says what it misses
  local package missing=() log
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ "${#missing[@]}" = 0 ] && return 0
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    die "These packages are missing, and there is no sudo to install them. As root, run: apt-get install ${missing[*]}"
  fi
  echo "Installing: ${missing[*]}"
  log=$(mktemp)
  if ! install_packages "${missing[@]}" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    die "Could not install: ${missing[*]}"
  fi
  rm -f "$log"
}

# configure PRESET [CMAKE ARGUMENT...]: as CMakePresets.json says, with ccache where there is one.
configure() {
  local preset=$1 launcher=()
  shift
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  (cd "$root" && cmake --preset "$preset" "${launcher[@]}" "$@")
}

# The program, by apxs's own word first: Debian calls it apache2.
httpd_program() {
  local folder name candidate
  folder=$(apxs -q SBINDIR 2>/dev/null)
  name=$(apxs -q PROGNAME 2>/dev/null)
  for candidate in "$folder/$name" /usr/sbin/apache2 "$(command -v apache2)" "$(command -v httpd)"; do
    if [ -x "$candidate" ] && [ ! -d "$candidate" ]; then
      echo "$candidate"
      return 0
    fi
  done
  die "There is no httpd here; on Debian it is in the package apache2-bin."
}

# port_busy PORT: does somebody listen on it on 127.0.0.1?
port_busy() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_until SECONDS COMMAND...: true once the command succeeds, false when it does not in time.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# stop PID...: SIGTERM, and SIGKILL for those that have not gone after ten seconds.
stop() {
  local pid
  for pid in "$@"; do kill -TERM "$pid" 2>/dev/null; done
  for pid in "$@"; do
    wait_until 10 gone "$pid" || kill -KILL "$pid" 2>/dev/null
  done
  return 0
}
gone() {
  local state
  state=$(sed -e 's/.*) //' -e 's/ .*//' "/proc/$1/stat" 2>/dev/null)
  [ -z "$state" ] || [ "$state" = Z ]
}

# httpd_conf FOLDER PORT WORKER_PORT MODULE: a whole httpd.conf for a ServerRoot of one's own, MPM event.
httpd_conf() {
  local folder=$1 port=$2 worker_port=$3 module=$4 modules name file
  modules=$(apxs -q LIBEXECDIR)
  echo "ServerRoot \"$folder\""
  echo "DefaultRuntimeDir \"$folder\""
  echo "PidFile \"$folder/httpd.pid\""
  echo "ServerName localhost"
  echo "Listen 127.0.0.1:$port"
  echo "ErrorLog \"$folder/error_log\""
  echo "LogLevel notice"
  if [ "$(id -u)" = 0 ]; then
    if id www-data >/dev/null 2>&1; then
      printf 'User www-data\nGroup www-data\n'
    else
      printf 'User nobody\nGroup #65534\n'
    fi
  fi
  for name in mpm_event unixd authz_core; do
    file="$modules/mod_$name.so"
    if [ -e "$file" ]; then
      printf '<IfModule !%s_module>\n  LoadModule %s_module %s\n</IfModule>\n' "$name" "$name" "$file"
    fi
  done
  echo "LoadModule zmqspdy_module $module"
  echo "ZmqSpdyListen tcp://127.0.0.1:$worker_port"
  printf '<Location "/">\n  SetHandler zmq-spdy\n</Location>\n'
}
