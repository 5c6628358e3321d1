#!/usr/bin/env bash
# Makes `sam local invoke` and `sam local start-api` work on a Debian machine that cannot pull
# container images: starts its own Docker daemon and imports a small base image, made of this
# machine's C library, under the name that SAM looks for. Safe to run again; a second run takes < 1 s.
#
#   eval "$(sam-local-image.sh up)"     # sets DOCKER_HOST
#   sam local invoke CommandFunction -e events/x.json --skip-pull-image
#   sam-local-image.sh down             # stops the daemon, keeps the image
#
# The image is not Amazon Linux: its glibc is this machine's, so it will not notice a binary that
# needs a newer glibc than Amazon Linux 2023 has (2.34). check-bootstrap.sh does.
#
# RIG_STATE  where the daemon keeps its data   (default .tools/docker of the project)
# RIG_ARCH   x86_64 or arm64                   (default: this machine's)
set -euo pipefail

state=${RIG_STATE:-$(cd "$(dirname "$0")/../.." && pwd)/.tools/docker}
case $(uname -m) in x86_64) native=x86_64 ;; aarch64) native=arm64 ;; *) native=unknown ;; esac
arch=${RIG_ARCH:-$native}
image=public.ecr.aws/lambda/provided:al2023-$arch
socket=$state/docker.sock
say() { echo "sam-local-image: $*" >&2; }
die() { say "$*"; exit 1; }

daemon_pid() { # our daemon's pid, if it runs
  local pid; pid=$(cat "$state/dockerd.pid" 2>/dev/null) || return 1
  [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *dockerd*"$state"* ]] && echo "$pid"
}

start_daemon() {
  if [[ -z ${DOCKER_HOST:-} ]] && docker info >/dev/null 2>&1; then return; fi # the machine has one
  export DOCKER_HOST=unix://$socket
  docker info >/dev/null 2>&1 && return
  [[ $(id -u) == 0 ]] || die "no Docker daemon answers and only root can start one"
  if ! command -v dockerd >/dev/null; then
    say "installing docker.io"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io >&2
  fi
  mkdir -p "$state"
  # No iptables and no forwarding: the kernel may lack them, and functions under test must not
  # reach out. Ports are published by docker-proxy; containers reach this machine at the bridge's
  # address. Without overlayfs, fall back to plain copies.
  local storage=()
  grep -qw overlay /proc/filesystems || storage=(--storage-driver=vfs)
  local t=$EPOCHREALTIME
  setsid nohup dockerd --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/dockerd.pid" \
    -H "$DOCKER_HOST" --iptables=false --ip6tables=false --ip-forward=false "${storage[@]}" \
    >"$state/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    if docker info >/dev/null 2>&1; then
      say "daemon up in $(awk "BEGIN{printf \"%.1f\", $EPOCHREALTIME-$t}") s, log in $state/dockerd.log"
      return
    fi
    sleep 0.2
  done
  tail -n 20 "$state/dockerd.log" >&2
  die "the Docker daemon did not come up in 30 s"
}

build_image() {
  local version; version=$(sha256sum "$0" | cut -c1-12)
  case $(docker image inspect -f '{{index .Config.Labels "sam-local-image"}}' "$image" 2>/dev/null || echo none) in
    "$version") return ;;                                # ours, up to date
    none) ;;                                             # no such image yet
    "" | "<no value>") say "keeping $image, which is not ours"; return ;;
    *) docker rmi -f "$image" "${image/al2023-/al2023-rapid-}" >/dev/null 2>&1 || true ;;  # ours, old
  esac
  [[ $arch == "$native" ]] || die "cannot make an $arch image on $native"
  local root; root=$(mktemp -d); trap 'rm -rf "$root"' RETURN
  mkdir -p "$root"/{bin,etc/ssl/certs,etc/pki/tls/certs,lib64,opt,tmp,var/{rapid,runtime,task}}
  chmod 1777 "$root/tmp"
  # SAM's Dockerfile runs sh, mv and chmod; a function needs libc, libm and libgcc_s; names are
  # resolved by libnss_*. Everything with the libraries it links to.
  local f lib libs=(/lib*/*-linux-gnu/lib{c.so.6,m.so.6,pthread.so.0,dl.so.2,rt.so.1,util.so.1,resolv.so.2,nss_files.so.2,nss_dns.so.2,gcc_s.so.1})
  for f in sh mv chmod; do cp -L "$(command -v $f)" "$root/bin/$f"; done
  for f in "$root"/bin/* "${libs[@]}"; do
    [[ -e $f ]] || continue
    [[ $f == "$root"* ]] || cp -L --parents "$f" "$root"
    while read -r lib; do cp -L --parents "$lib" "$root"; done < <(ldd "$f" | grep -o '/[^ ]*')
  done
  printf 'root:x:0:0::/:/bin/sh\nsbx_user1051:x:993:990::/:/bin/sh\n' >"$root/etc/passwd"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/pki/tls/certs/ca-bundle.crt"
  fi
  tar -C "$root" -c . | docker import \
    -c 'ENV PATH=/bin LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/task:/opt/lib LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime TZ=:/etc/localtime' \
    -c 'WORKDIR /var/task' -c "LABEL sam-local-image=$version" - "$image" >/dev/null
  say "imported $image ($(docker image inspect -f '{{.Size}}' "$image" | awk '{printf "%.1f MB", $1/1e6}'))"
}

case ${1:-up} in
  up)
    command -v docker >/dev/null || [[ $(id -u) == 0 ]] || die "install Docker, or run as root"
    start_daemon
    build_image
    [[ -z ${DOCKER_HOST:-} ]] || echo "export DOCKER_HOST=$DOCKER_HOST"
    ;;
  down)
    if pid=$(daemon_pid); then
      kill "$pid"
      for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
      say "daemon stopped"
    fi
    ;;
  *) die "usage: $0 up|down" ;;
esac
