# shellcheck shell=bash
# How a step is announced, run, logged and, where it fails or is interrupted, cleaned up.

cache=$(realpath --canonicalize-missing "${AIRGAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/airgap}")
scratch=$cache/work
job=

say() { echo "airgap: $*" >&2; }

fail() { # cause, next step
  say "$1"
  say "next: $2"
  exit 1
}

begin_work() {
  mkdir -p "$cache/log"
  exec 9>"$cache/lock"
  flock --nonblock 9 || {
    say "another setup is at work; waiting for it"
    flock 9
  }
  clean_up # after a setup that was killed
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir "$scratch"
  export TMPDIR=$scratch
}

clean_up() {
  if [ -n "$job" ]; then
    kill -TERM -- "-$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
  fi
  if [ -f "$scratch/container" ]; then
    docker rm --force --volumes "$(cat "$scratch/container")" >/dev/null 2>&1 || true
  fi
  # What is mounted below it, by a bootstrap that was killed, is not ours to empty.
  rm -rf --one-file-system "$scratch"
}

# Runs a command in a process group of its own, with a sign of life every 30 s.
# The log of a failure is named, and its end is shown. The command holds the lock
# too: if this script is killed, the next one waits for what the command still does.
step() { # what is being done, name of the log, command...
  local title=$1 log=$cache/log/$2.log start=$SECONDS beat=30 status=0
  shift 2
  say "$title"
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  set +m
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - start >= beat)); then
      say "  still at it after $((SECONDS - start)) s: $(tail -n 1 "$log" | cut -c 1-100)"
      ((beat += 30))
    fi
  done
  wait "$job" || status=$?
  job=
  [ "$status" = 0 ] && return
  tail -n 20 "$log" >&2
  fail "failed (exit code $status): $title" "read $log; what is done so far is kept, and the next run goes on from there"
}

# What makes an image or a program, as a short hash: another recipe, and it is made again.
recipe() { # word..., "--", file...
  local words=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do words+=("$1"); shift; done
  [ $# = 0 ] || shift
  { echo "${words[@]}"; [ $# = 0 ] || cat -- "$@"; } | sha256sum | cut -c 1-12
}
