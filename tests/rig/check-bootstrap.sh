#!/usr/bin/env bash
# Fails if a built function would fail on AWS although it runs here:
# * it needs a newer glibc than Amazon Linux 2023 has ("GLIBC_2.xx not found"), or
# * it was built with panic = "abort", so that one poisoned message ends the environment instead of being answered.
#
#   check-bootstrap.sh BOOTSTRAP...          needs objdump (binutils)
set -euo pipefail
limit=2.34
# Standard output says what was checked. A runtime that unwinds contains this sentence; one that aborts does not.
unwinds="Rust panics must be rethrown"
[[ $# -gt 0 ]] || { echo "usage: $0 BOOTSTRAP..." >&2; exit 2; }
passed=0 failed=0
verdict() { # true|false WHAT
  if [[ $1 == true ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "check-bootstrap: $2" >&2; fi
}
for file; do
  if [[ ! -f $file ]]; then verdict false "$file is missing"; continue; fi
  symbols=$(objdump -T "$file")
  need=$(grep -o 'GLIBC_[0-9.]*' <<<"$symbols" | cut -d_ -f2 | sort -Vu | tail -n 1 || true)
  newest=$(printf '%s\n' "$limit" "$need" | sort -V | tail -n 1)
  ok=$([[ $newest == "$limit" ]] && echo true || echo false)
  verdict "$ok" "$file needs glibc $need, Amazon Linux 2023 has $limit:
$(grep "GLIBC_${need:-none}" <<<"$symbols" | awk '{print "  " $NF}')"
  ok=$(grep -qa "$unwinds" "$file" && echo true || echo false)
  verdict "$ok" "$file does not unwind: [profile.release] must say panic = \"unwind\""
done
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
