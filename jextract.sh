#!/usr/bin/env bash
# Makes the committed bindings from C headers. See --help.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<'TEXT'
Usage: ./jextract.sh [--check] TORCH_INCLUDE [CUDA_INCLUDE...]

Makes bindings/src/main/java/dev/gatun/bindings/{torch,cuda,cublas,nvrtc,nccl}, the C views in
bindings/src/main/c, the operator schemas, the list of optional symbols and bindings/bindings.sha256.
The functions, structs and constants to bind are listed in bindings/includes/*.txt.

  TORCH_INCLUDE  include folder of a LibTorch zip, or of a pip-installed torch (site-packages/torch/include)
  CUDA_INCLUDE   folders with cuda.h, cublas_v2.h, cublasLt.h, nvrtc.h and nccl.h; without any, only the
                 libtorch bindings are made and the CUDA ones stay as they are
  --check        change nothing; fail if the committed output is not what the headers and filters give

jextract is run from JEXTRACT_HOME/bin, else from the PATH.
TEXT
}

fail() {
  echo "jextract.sh: $*" >&2
  exit 1
}

# The jextract program: JEXTRACT_HOME, then the PATH.
find_jextract() {
  if [[ -n ${JEXTRACT_HOME:-} ]]; then
    [[ -x $JEXTRACT_HOME/bin/jextract ]] || fail "no bin/jextract in JEXTRACT_HOME=$JEXTRACT_HOME"
    echo "$JEXTRACT_HOME/bin/jextract"
  else
    command -v jextract || fail "no jextract: set JEXTRACT_HOME to a jextract release, or put it on the PATH"
  fi
}

# names FILE: the functions that an argument file of jextract includes.
names() {
  awk '$1 == "--include-function" { print $2 }' "$1"
}

# c_view FILTER HEADER...: libtorch's headers are C++ on the surface and jextract reads C only. Prints, as C11, the
# listed functions of the headers and the types they need, one declaration a line. A comment behind a function names
# the libtorch version that brings it where that is later than the oldest one supported.
c_view() {
  local filter=$1
  shift
  awk -v wanted="$(names "$filter")" '
    function fail(text) { print "jextract.sh: " text > "/dev/stderr"; failed = 1; exit 1 }
    function since(    i) { for (i = depth; i > 0; i--) if (guard[i] != "") return guard[i]; return "" }
    function c_types(text) {
      gsub(/c10::(Half|BFloat16)/, "uint16_t", text)
      gsub(/\(\)/, "(void)", text)
      gsub(/[ \t]+/, " ", text)
      gsub(/\( /, "(", text)
      gsub(/ \)/, ")", text)
      return text
    }
    function function_name(text) {
      match(text, /[A-Za-z0-9_]+ ?\(/)
      return substr(text, RSTART, RLENGTH - 1)
    }
    function finish(text,    name) {
      text = c_types(text)
      name = function_name(text)
      if (!(name in want) || name in declared) return
      declared[name] = 1
      functions[++count] = text (since() == "" ? "" : " // " since())
    }
    BEGIN { n = split(wanted, list, /[ \n]+/); for (i = 1; i <= n; i++) want[list[i]] = 1 }
    { sub(/\/\/.*$/, ""); sub(/\r$/, "") }
    /^#if / && /TORCH_FEATURE_VERSION >= TORCH_VERSION_/ {
      match($0, /TORCH_VERSION_[0-9_]+/)
      split(substr($0, RSTART + 14), part, "_")
      guard[++depth] = part[1] == 2 && part[2] <= 10 ? "" : part[1] "." part[2]
      next
    }
    /^#if/ { guard[++depth] = ""; next }
    /^#endif/ { depth--; next }
    /^AOTI_TORCH_EXPORT/ { open = 1; text = ""; sub(/^AOTI_TORCH_EXPORT */, "") }
    open {
      text = text " " $0
      if (/;[ \t]*$/) { open = 0; sub(/^ +/, "", text); finish(text) }
      next
    }
    /^using [A-Za-z0-9_]+ = [A-Za-z0-9_]+\*;/ {
      sub(/\*;$/, "", $4)
      types[++typed] = "typedef struct " $4 "* " $2 ";"; type_name[typed] = $2; next
    }
    /^using [A-Za-z0-9_]+ = u?int[0-9]+_t;/ {
      sub(/;$/, "", $4)
      types[++typed] = "typedef " $4 " " $2 ";"; type_name[typed] = $2; next
    }
    /^typedef .*\(\*[A-Za-z0-9_]+\)\(.*\);/ {
      match($0, /\(\*[A-Za-z0-9_]+\)/)
      types[++typed] = $0; type_name[typed] = substr($0, RSTART + 2, RLENGTH - 3); next
    }
    END {
      if (failed) exit 1
      for (name in want) if (!(name in declared)) fail("the headers do not declare " name)
      print "// The C view of the libtorch functions that Gatun binds, made from libtorch headers by jextract.sh: do not edit."
      print "// libtorch is under a BSD-3-Clause licence, see NOTICE."
      print "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
      for (i = 1; i <= typed; i++) {
        used = 0
        for (j = 1; j <= count && !used; j++) used = functions[j] ~ ("(^|[^A-Za-z0-9_])" type_name[i] "([^A-Za-z0-9_]|$)")
        if (used) print types[i]
      }
      print ""
      for (j = 1; j <= count; j++) print functions[j]
    }' "$@"
}

# schemas NAMES OPS_DIR: the schema of each listed operator, sorted, one a line.
schemas() {
  find "$2" -name '*_ops.h' -print0 | sort -z | xargs -0 cat |
    sed -nE 's/.* schema_str = "(.*)";$/\1/p' |
    awk -v file="$1" '
      BEGIN { while ((getline line < file) > 0) if (line !~ /^(#|$)/) want[line] = 1 }
      { name = $0; sub(/\(.*/, "", name); if (name in want) schema[name] = $0 }
      END {
        for (name in want) {
          if (name in schema) print schema[name] | "sort"
          else { print "jextract.sh: the headers have no operator " name > "/dev/stderr"; missing = 1 }
        }
        close("sort")
        exit missing
      }'
}

# optional_symbols VIEW: the functions that the oldest supported libtorch lacks, with the version that brings each.
optional_symbols() {
  sed -nE 's/^[^(]*[ *]([A-Za-z0-9_]+)\(.*; \/\/ ([0-9.]+)$/\1 \2/p' "$1" | sort
}

# package_info PACKAGE TEXT
package_info() {
  local dir=$java/dev/gatun/bindings/$1
  mkdir -p "$dir"
  printf '/// %s\n@org.jspecify.annotations.NullMarked\npackage dev.gatun.bindings.%s;\n' "$2" "$1" >"$dir/package-info.java"
}

# On the machine that generates, int64_t and size_t are a C long; elsewhere a long may have 32 bits. No function bound
# here takes a real long, so the layout of long long says what is meant.
portable() {
  find "$java" -name '*.java' -exec sed -i -e '/ C_LONG = /d' -e 's/\bC_LONG\b/C_LONG_LONG/g' {} +
}

# bind PACKAGE CLASS LIBRARY HEADER FILTER [OPTION...]
bind() {
  local package=$1 class=$2 library=$3 header=$4 filter=$5
  shift 5
  "$jextract" --output "$java" -t "dev.gatun.bindings.$package" --header-class-name "$class" -l "$library" \
    "$@" "@$filter" "$header" || fail "jextract failed on $header"
}

make_torch() {
  local headers=$torch_include/torch/csrc/inductor/aoti_torch view=$out/src/main/c resources
  resources=$out/src/main/resources/dev/gatun/bindings/torch
  [[ -f $torch_include/torch/csrc/stable/c/shim.h ]] ||
    fail "$torch_include is not a libtorch 2.10+ include folder: no torch/csrc/stable/c/shim.h"
  mkdir -p "$view" "$resources"
  local common=("$headers/c/macros.h" "$headers/c/shim.h" "$torch_include/torch/csrc/stable/c/shim.h")
  c_view "$includes/torch.txt" "${common[@]}" "$headers/c/shim_cpu.h" \
    "$headers/generated/c_shim_aten.h" "$headers/generated/c_shim_cpu.h" >"$view/torch.h"
  c_view "$includes/torch-cuda.txt" "${common[@]}" "$headers/generated/c_shim_cuda.h" >"$view/torch_cuda.h"
  optional_symbols "$view/torch.h" >"$resources/optional-symbols.txt"
  schemas "$includes/aten.txt" "$torch_include/ATen/ops" >"$resources/aten-schemas.txt"
  bind torch Torch torch_cpu "$view/torch.h" "$includes/torch.txt"
  bind torch TorchCuda torch_cuda "$view/torch_cuda.h" "$includes/torch-cuda.txt"
  package_info torch "The C ABI of libtorch, as jextract sees it: \`Torch\` of libtorch_cpu, \`TorchCuda\` of libtorch_cuda."
}

check=false
folders=()
for argument in "$@"; do
  case $argument in
    -h | --help) usage; exit 0 ;;
    --check) check=true ;;
    -*) fail "unknown option $argument (see --help)" ;;
    *) folders+=("$argument") ;;
  esac
done
[[ ${#folders[@]} -gt 0 ]] || { usage >&2; exit 2; }
torch_include=${folders[0]}
jextract=$(find_jextract)
includes=$root/bindings/includes
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
java=$out/src/main/java
make_torch
portable
cp -r "$out/src" "$root/bindings/"
