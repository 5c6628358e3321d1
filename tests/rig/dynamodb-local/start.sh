#!/usr/bin/env bash
# Runs Amazon's own DynamoDB Local in the foreground, in memory, from its Maven artifacts.
# Needs Java 17+ and, the first time, Maven. Ready when a TCP connect to the port succeeds.
#
#   start.sh [PORT]         default 8000; stop it with SIGTERM
#   start.sh --fetch        only fetches the jars, some 51 MB, into .tools/dynamodb-local
#
# It binds to every interface: Amazon's server has no option for the address.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=$(cd "$here/../../.." && pwd)/.tools/dynamodb-local
die() { echo "dynamodb-local: $*" >&2; exit 1; }

command -v java >/dev/null || die "java is not installed: apt-get install openjdk-17-jre-headless"
stamp=$(sha256sum "$here/pom.xml" | cut -c1-12)
if [[ $(cat "$state/stamp" 2>/dev/null) != "$stamp" ]]; then
  command -v mvn >/dev/null || die "mvn is not installed: apt-get install maven"
  mkdir -p "$state"
  mvn -q -B -ntp -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$state/lib" >&2 || die "Maven could not fetch DynamoDB Local"
  echo "$stamp" >"$state/stamp"
fi
[[ ${1:-} != --fetch ]] || exit 0
# The artifacts hold SQLite for Linux x86_64 and i386 and for macOS, not for Linux on arm64.
[[ $(uname -sm) != "Linux aarch64" ]] || die "Maven Central has no SQLite library for Linux on arm64"
# -disableTelemetry: otherwise it reports its use to Amazon.
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dsqlite4java.library.path="$state/lib" -cp "$state/lib/*" \
  com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
  -inMemory -sharedDb -disableTelemetry -port "${1:-8000}"
