#!/usr/bin/env bash
# Installs Gatun into a repository of its own and runs src/Example.java, the README's example, as four kinds of users would:
# a Maven project, javac on the class path, javac on the module path, and one jar with the others nested in it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. .mvn/jdk.sh
JAVA_HOME=$(find_jdk_25)
export JAVA_HOME
java=$JAVA_HOME/bin/java
diff <(sed -n '/^<!-- consumers\/src\/Example.java/,/^```$/p' README.md | sed '1,2d;$d') consumers/src/Example.java ||
  { echo "the README's example is not consumers/src/Example.java" >&2 && exit 1; }
out=$root/consumers/target
case $(uname -s) in
  Darwin) platform=macosx-arm64 ;;
  *) platform=linux-x86_64 ;;
esac

# What Gatun's build installs goes here and only here; what comes from Maven Central is shared with the usual repository.
repository=$out/repository
maven() {
  ./mvnw --quiet --batch-mode -Dquick -Dbuild.folder=target/consumers -Dmaven.repo.local="$repository" -Dmaven.repo.local.tail="$HOME/.m2/repository" "$@"
}
rm -rf "$repository/dev/gatun" "$out/classes" "$out/lib" "$out/modules" "$out/natives" "$out/module"
maven -pl tokenizers,libtorch-cpu,bom -am install

echo "== a Maven project"
maven -f consumers/pom.xml -Dlibtorch.platform="$platform" verify

echo "== javac on the class path"
"$JAVA_HOME/bin/javac" -d "$out/plain" -cp "$out/lib/*" consumers/src/Example.java
"$java" --enable-native-access=ALL-UNNAMED --illegal-native-access=deny -cp "$out/plain:$out/lib/*" Example

# libtorch's and OpenBLAS's jars are modules that ask for JavaCPP, so they stay on the class path.
echo "== javac on the module path"
mkdir -p "$out/modules" "$out/natives" "$out/module/consumer"
mv "$out"/lib/gatun-libtorch-cpu-* "$out"/lib/openblas-* "$out/natives/"
mv "$out"/lib/*.jar "$out/modules/"
echo "module consumer { requires dev.gatun.models; requires dev.gatun.tokenizers; }" >"$out/module/module-info.java"
{ echo "package consumer;" && cat consumers/src/Example.java; } >"$out/module/consumer/Example.java"
"$JAVA_HOME/bin/javac" -d "$out/module/classes" --module-path "$out/modules" \
  "$out/module/module-info.java" "$out/module/consumer/Example.java"
"$java" --enable-native-access=dev.gatun.bindings,dev.gatun.runtime,ai.djl.tokenizers --illegal-native-access=deny \
  --module-path "$out/module/classes:$out/modules" -cp "$out/natives/*" --module consumer/consumer.Example

echo "== one nested jar"
"$java" --illegal-native-access=deny -jar "$out/consumer-1-nested.jar"
