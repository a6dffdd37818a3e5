#!/bin/sh
# Builds the benchmarks where a source is newer than their last build, then runs one of
#   bench/run.sh jmh [--peers] [JMH's options]   the microbenchmarks, and those of JavaCPP and DJL
#   bench/run.sh worker                          Gatun's side of compare.py
set -eu
module=bench
profile=
case ${1:-} in
  jmh)
    main=org.openjdk.jmh.Main
    if [ "${2:-}" = --peers ]; then
      module=bench/peers
      profile=-Ppeers
      shift
    fi
    ;;
  worker) main=dev.gatun.bench.worker.Worker ;;
  *)
    echo "usage: $0 jmh [--peers] [JMH's options] | worker" >&2
    exit 2
    ;;
esac
shift

root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/.mvn/jdk.sh"
jdk=$(find_jdk_25)
lib=$root/$module/target/quick/lib

newer=
if [ -f "$lib/built" ]; then
  newer=$(cd "$root" && find pom.xml .mvn ./*/src/main ./*/pom.xml "$module/src/main" "$module/pom.xml" \
    -newer "$lib/built" -print | head -n 1)
fi
if [ ! -f "$lib/built" ] || [ -n "$newer" ]; then
  echo "building the benchmarks ..." >&2
  rm -rf "$lib"
  started=$(mktemp)
  (cd "$root" && JAVA_HOME=$jdk ./mvnw --quiet --batch-mode -Dquick $profile -pl "$module" -am package) </dev/null >&2
  cp "$root/$module"/target/quick/gatun-bench-*.jar "$lib/"
  mv "$started" "$lib/built" # carries the time at which the build began
fi

# Everything is on the class path, as in ./gatun.
exec "$jdk/bin/java" -Xshare:auto -XX:+UseSerialGC -Xmn24m -XX:FlightRecorderOptions:stackdepth=128 \
  --enable-native-access=ALL-UNNAMED --illegal-native-access=deny --add-modules jdk.incubator.vector \
  -cp "$lib/*" "$main" "$@"
