# Installs packages with apt and starts no service; read with `.` by the scripts beside it.
# shellcheck shell=sh

stop() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Sets $as_root to what runs a command as root, or fails: a script without a terminal cannot be asked for a password.
find_root() {
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif ! command -v sudo >/dev/null; then
    return 1
  elif sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  elif [ -t 0 ]; then
    as_root=sudo
  else
    return 1
  fi
}

apt_can_install() {
  command -v apt-get >/dev/null && find_root
}

# $as_root is one or two words or none, hence unquoted here and below.
# shellcheck disable=SC2086
apt_get() {
  $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >>"$scratch/log" 2>&1
}

apt_install() {
  scratch=$(mktemp -d)
  trap 'allow_services; rm -rf "$scratch"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM

  printf 'installing with apt: %s\n' "$*" >&2
  deny_services
  if ! apt_known "$@"; then
    apt_get update || apt_failed "$@"
  fi
  # A package list of some age names versions that the archive no longer holds: fetch it and try once more.
  apt_get install --yes --no-install-recommends "$@" \
    || { apt_get update && apt_get install --yes --no-install-recommends "$@"; } \
    || apt_failed "$@"
  allow_services
  rm -rf "$scratch"
  trap - EXIT HUP INT TERM
}

apt_known() {
  for package; do
    [ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || return 1
  done
}

apt_failed() {
  cat "$scratch/log" >&2
  stop "apt could not install $*: see its words above, put that right, and run make again"
}

# invoke-rc.d and deb-systemd-invoke ask this file before they start anything; 101 means "not allowed".
policy=/usr/sbin/policy-rc.d
policy_kept=$policy.before-sloforge

# shellcheck disable=SC2086
deny_services() {
  if there "$policy" && ! policy_is_ours; then
    $as_root mv "$policy" "$policy_kept"
  fi
  printf '#!/bin/sh\n# From sloforge, for the length of one installation.\nexit 101\n' >"$scratch/policy"
  $as_root install -m 755 "$scratch/policy" "$policy"
}

# Right at every point where an interrupt may come, and after a run that was killed: it removes only our own file.
# shellcheck disable=SC2086
allow_services() {
  if policy_is_ours; then
    $as_root rm -f "$policy"
  fi
  if there "$policy_kept"; then
    $as_root mv "$policy_kept" "$policy"
  fi
}

policy_is_ours() {
  grep -qs sloforge "$policy"
}

there() {
  [ -e "$1" ] || [ -L "$1" ]
}
