#!/usr/bin/env bash
# Runs one built function under `sam local invoke` and fails when the function failed: SAM itself exits with 0 even when a
# function crashes or times out. Prints the function's answer on stdout, its log on stderr.
#
#   sam-local-invoke.sh FUNCTION EVENT.json [more `sam local invoke` options]
#
# Needs a built template (`sam build`) and a base image (sam-local-image.sh). SAM hands over only variables that the
# template declares for the function. The template's default architecture is for AWS; here it is this machine's.
set -euo pipefail
[[ $# -ge 2 ]] || { echo "usage: $0 FUNCTION EVENT.json [options]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
name=$1 event=$2; shift 2
sam=$root/.venv/sam/bin/sam
[[ -x $sam ]] || sam=$(command -v sam) || { echo "sam-local-invoke: sam is not installed: run tests/rig/setup.sh" >&2; exit 1; }
# With credentials set, SAM first asks STS who we are and waits 5 to 12 s for the network.
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export SAM_CLI_TELEMETRY=0 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_DEFAULT_REGION=us-east-1
case $(uname -m) in aarch64 | arm64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
log=$(mktemp); trap 'rm -f "$log"' EXIT
answer=$("$sam" local invoke "$name" --event "$event" --skip-pull-image \
  --parameter-overrides "Architecture=$architecture" "$@" 2>"$log") || { cat "$log" >&2; exit 1; }
cat "$log" >&2
answer=$(tail -n 1 <<<"$answer")
if ! python3 -c 'import json,sys; v=json.loads(sys.argv[1]); sys.exit(isinstance(v,dict) and "errorMessage" in v)' "$answer" 2>/dev/null; then
  echo "sam-local-invoke: $name gave no answer: ${answer:-nothing}" >&2
  exit 1
fi
printf '%s\n' "$answer"
