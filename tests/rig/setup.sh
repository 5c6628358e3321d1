#!/usr/bin/env bash
# Installs what the tests need and this Debian machine lacks. It first says what and where, and does nothing if nothing is
# missing.
#
#   tests/rig/setup.sh
#
# Python programs go into .venv/, DynamoDB Local and the Docker daemon's data into .tools/, both below the project. Only what
# Debian can provide (Java, Maven, Node, Docker, binutils, Python's venv) is installed on the machine, by apt, as root.
set -euo pipefail
cd "$(dirname "$0")/../.."
say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

command -v cargo >/dev/null || die "cargo is not installed: see https://rustup.rs"
command -v cc >/dev/null || die "a C compiler is not installed: apt-get install gcc"

# --- what is missing? ---------------------------------------------------------------------------------------------------
packages=()
lacks() { packages+=("$1"); }
command -v python3 >/dev/null || lacks python3
python3 -c 'import ensurepip, venv' 2>/dev/null || lacks python3-venv
command -v node >/dev/null || lacks nodejs
java -version >/dev/null 2>&1 || lacks openjdk-17-jre-headless
command -v objdump >/dev/null || lacks binutils
command -v curl >/dev/null || lacks curl
fetched=.tools/dynamodb-local/stamp
[[ $(cat $fetched 2>/dev/null) == "$(sha256sum tests/rig/dynamodb-local/pom.xml | cut -c1-12)" ]] || fetch=yes
if [[ ${fetch:-} ]] && ! command -v mvn >/dev/null; then lacks maven; fi
# A daemon that already answers is good enough.
if ! docker info >/dev/null 2>&1 && ! command -v dockerd >/dev/null; then lacks docker.io; fi

environments=()
for requirements in tests/rig/requirements/*.txt; do
  name=$(basename "$requirements" .txt)
  [[ $(cat ".venv/$name/stamp" 2>/dev/null) == "$(sha256sum "$requirements" | cut -c1-16)" ]] || environments+=("$name")
done

# --- say so -------------------------------------------------------------------------------------------------------------
[[ ${#packages[@]} == 0 ]] || say "on this machine, by apt: ${packages[*]}"
for name in "${environments[@]}"; do say "into .venv/$name: $(paste -sd ' ' "tests/rig/requirements/$name.txt")"; done
[[ -z ${fetch:-} ]] || say "into .tools/dynamodb-local: DynamoDB Local, by Maven (51 MB)"

# --- and do it ----------------------------------------------------------------------------------------------------------
if [[ ${#packages[@]} -gt 0 ]]; then
  [[ $(id -u) == 0 ]] || die "only root can do that: sudo apt-get install ${packages[*]}"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "${packages[@]}" >&2
fi
for name in "${environments[@]}"; do
  requirements=tests/rig/requirements/$name.txt
  [[ -x .venv/$name/bin/python ]] || python3 -m venv ".venv/$name"
  ".venv/$name/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
  sha256sum "$requirements" | cut -c1-16 >".venv/$name/stamp"
done
[[ -z ${fetch:-} ]] || tests/rig/dynamodb-local/start.sh --fetch
