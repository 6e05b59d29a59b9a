# shellcheck shell=bash
# What the machine itself needs: packages, the Docker daemon, privileged containers, kind.

release=bookworm # the newest whose source package `kubernetes` has the servers' source

need() { # package...: installed, where one is missing
  local missing=() package
  for package in "$@"; do
    dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] || step "installing ${missing[*]}" packages install_packages "${missing[@]}"
}

install_packages() {
  exec 9>&- # a package may start a service, and that must not hold the lock
  dpkg --configure -a # what an interrupted installation left
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# Where this machine's own apt finds Debian.
debian_mirror() {
  [ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR"; return; }
  apt_mirror || { apt-get update >/dev/null 2>&1 && apt_mirror; } ||
    fail "apt knows no mirror of Debian" "name one: DEBIAN_MIRROR=<URL> $0"
}

apt_mirror() { apt-get indextargets --format "\$(SITE) \$(REPO_URI)" | awk '$2 !~ /security|updates/ {print $2; exit}' | grep .; }

# Points apt at one suite, without a trace in the machine's own settings.
from_suite() { # deb or deb-src, suite, apt-get's arguments...
  local lists=$scratch/apt-$1-$2 mirror options
  mirror=$(debian_mirror)
  mkdir -p "$lists/partial"
  echo "$1 $mirror $2 main" >"$lists.list"
  options=(-o Dir::Etc::SourceList="$lists.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  shift 2
  apt-get "${options[@]}" update && apt-get "${options[@]}" "$@"
}

# The files of a package, without installing it: some start a service when they are installed.
unpacked() { # suite, package, directory
  mkdir -p "$3"
  cd "$3"
  from_suite deb "$1" download "$2"
  dpkg --extract "$2"_*.deb .
}

docker_up() {
  ! docker info >/dev/null 2>&1 || return 0
  [ -z "${DOCKER_HOST:-}" ] || fail "no Docker daemon answers at DOCKER_HOST=$DOCKER_HOST" "start it, or unset DOCKER_HOST to use one on this machine"
  need docker.io containerd runc iptables
  step "starting the Docker daemon" dockerd-start start_docker
}

start_docker() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    setsid nohup dockerd >"$cache/log/dockerd.log" 2>&1 </dev/null 9>&- &
  fi
  local attempt
  for attempt in {1..60}; do
    ! docker info >/dev/null 2>&1 || return 0
    sleep 0.5
  done
  tail -n 15 "$cache/log/dockerd.log" || true
  echo "no answer after $((attempt / 2)) s"
  return 1
}

# Without CAP_SYS_RESOURCE of its own (some sandboxes), a machine can start no privileged container.
privileged_containers() {
  local words runc
  runc=$(readlink -f "$(command -v runc)") || return 0 # of a Docker that brings its own
  { ! may_use_resources && [ ! -e "$runc.real" ]; } || return 0
  words=$(try_privileged 2>&1) && return
  case $words in
    *'unable to apply caps'*) ;;
    *) fail "Docker cannot start a privileged container, which a Kind node is: ${words##*$'\n'}" "make \`docker run --privileged\` work on this machine" ;;
  esac
  say "this machine lacks CAP_SYS_RESOURCE: putting a wrapper before runc"
  need jq
  dpkg-divert --quiet --local --rename --divert "$runc.real" "$runc"
  install -m 0755 "$here/runc-without-sys-resource" "$runc"
  words=$(try_privileged 2>&1) ||
    fail "Docker cannot start a privileged container even so: ${words##*$'\n'}" "use another machine"
}

may_use_resources() { (((0x$(sed -n 's/^CapBnd:\s*//p' /proc/self/status) >> 24) & 1)); }

try_privileged() { docker run --rm --privileged --entrypoint true debian:bookworm-slim; }

kind_installed() {
  ! command -v kind >/dev/null || return 0
  step "installing kind" kind unpacked trixie kind "$scratch/kind"
  install -m 0755 "$scratch/kind/usr/bin/kind" /usr/local/bin/kind
}
