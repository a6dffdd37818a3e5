# Sourced by the scripts of this project: finds a JDK 25 or newer.

# True where $1 is the home of one.
is_jdk_25() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  major=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  [ "${major:-0}" -ge 25 ]
}

# Prints what $1 is behind its symbolic links.
real_path() {
  path=$1
  while [ -L "$path" ]; do
    link=$(readlink "$path")
    case $link in
      /*) path=$link ;;
      *) path=$(dirname "$path")/$link ;;
    esac
  done
  echo "$path"
}

# Prints the first home among JAVA_HOME, the PATH and the usual folders; says what to install where there is none.
find_jdk_25() {
  java=$(real_path "$(command -v java || true)")
  for home in "${JAVA_HOME:-}" "${java%/bin/java}" \
    /usr/lib/jvm/* /usr/local/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    if is_jdk_25 "$home"; then
      echo "$home"
      return
    fi
  done
  echo "no JDK 25 found in JAVA_HOME, on the PATH or in the usual folders: install one, for example from https://adoptium.net" >&2
  return 1
}
