#!/bin/sh
# Makes a folder that runs Gatun where there is no JDK, such as on a machine with a GPU: a Java runtime of the needed
# modules, the jars without libtorch, and the demo. It takes libtorch from the machine: a pip-installed torch of the
# python3 on the PATH, or the folder that GATUN_LIBTORCH names.
#   ./image.sh DIR            DIR/bin/gatun, about 110 MB unpacked and 50 MB as .tar.xz
#   ./image.sh --checks DIR   also the tests and the benchmark's worker, for bench/gpu.py
set -eu
checks=
if [ "${1:-}" = --checks ]; then
  checks=yes
  shift
fi
if [ $# -ne 1 ]; then
  echo "usage: $0 [--checks] DIR" >&2
  exit 2
fi
if [ -e "$1" ]; then
  echo "$0: found $1, expected no such folder yet" >&2
  exit 1
fi
mkdir -p "$1"
out=$(cd "$1" && pwd -P)
root=$(cd "$(dirname "$0")" && pwd -P)
. "$root/.mvn/jdk.sh"
jdk=$(find_jdk_25)

echo "building Gatun ..." >&2
(cd "$root" && JAVA_HOME=$jdk ./mvnw --quiet --batch-mode -Dquick -pl cli,bench -am package) </dev/null >&2
mkdir "$out/lib" "$out/bin"
for jar in "$root"/cli/target/quick/lib/*.jar "$root"/cli/target/quick/gatun-cli-*.jar; do
  case ${jar##*/} in
    gatun-libtorch-* | openblas-* | duckdb* | gatun-parquet*) ;; # the machine's own, or too large
    *) cp "$jar" "$out/lib/" ;;
  esac
done
cp -R "$root/demo" "$root/LICENSE" "$root/NOTICE" "$out/"

echo "linking the Java runtime ..." >&2
"$jdk/bin/jlink" --output "$out/java" --strip-debug --no-header-files --no-man-pages --compress=zip-0 \
  --add-modules java.base,java.logging,java.management,java.net.http,java.sql,java.xml,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs

cat >"$out/bin/gatun" <<'LAUNCHER'
#!/bin/sh
# Runs Gatun's command line from this folder.
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)
heap="-XX:+UseSerialGC -Xmn24m"
[ "${1:-}" = serve ] && heap="-XX:+UseG1GC -Xms192m -XX:TrimNativeHeapInterval=30000" # as ./gatun does
exec "$root/java/bin/java" $heap --add-modules jdk.incubator.vector \
  --enable-native-access=ALL-UNNAMED --illegal-native-access=deny -Dgatun.root="$root" -cp "$root/lib/*" \
  dev.gatun.cli.Main "$@"
LAUNCHER
chmod +x "$out/bin/gatun"

if [ -n "$checks" ]; then
  echo "building the tests ..." >&2
  junit=$(sed -n 's|.*<junit.version>\(.*\)</junit.version>.*|\1|p' "$root/pom.xml")
  (
    cd "$root"
    export JAVA_HOME="$jdk"
    ./mvnw --quiet --batch-mode -pl bom dependency:copy -DoutputDirectory="$out/checks/lib" \
      -Dartifact="org.junit.platform:junit-platform-console-standalone:$junit"
    ./mvnw --quiet --batch-mode -pl models -am test-compile dependency:copy-dependencies \
      -DincludeScope=test -DincludeArtifactIds=assertj-core,byte-buddy,jqwik-api,jqwik-engine \
      -DoutputDirectory="$out/checks/lib"
  ) </dev/null >&2
  cp "$root"/bench/target/quick/gatun-bench-*.jar "$out/checks/lib/"
  for module in runtime models; do
    mkdir -p "$out/checks/$module/src/test"
    cp -R "$root/$module/target/test-classes" "$out/checks/$module/classes"
    cp -R "$root/$module/src/test/resources" "$out/checks/$module/src/test/"
    rm -rf "$out/checks/$module/classes/parity"
  done
fi
du -sh "$out" >&2
