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
  -h, --help     print this text

jextract 25 is run from JEXTRACT_HOME/bin, else from the PATH.
TEXT
}

fail() {
  echo "jextract.sh: $*" >&2
  exit 1
}

# The jextract program: JEXTRACT_HOME, then the PATH. Another version writes other code.
find_jextract() {
  local program version
  if [[ -n ${JEXTRACT_HOME:-} ]]; then
    program=$JEXTRACT_HOME/bin/jextract
    [[ -x $program ]] || fail "no bin/jextract in JEXTRACT_HOME=$JEXTRACT_HOME"
  else
    program=$(command -v jextract) || fail "no jextract: set JEXTRACT_HOME to a jextract 25, or put it on the PATH"
  fi
  version=$("$program" --version 2>&1) || fail "$program does not run: ${version%%$'\n'*}"
  [[ $version == "jextract 25"* ]] || fail "$program is ${version%%$'\n'*}, wanted is jextract 25"
  echo "$program"
}

# names FILE: the functions that an argument file of jextract includes, in one line.
names() {
  awk '$1 == "--include-function" { printf "%s ", $2 }' "$1"
}

# c_view FILTER HEADER...: libtorch's headers are C++ on the surface and jextract reads C only. Prints, as C11, the
# listed functions of the headers and the types they need, one declaration a line. A comment behind a function names
# the libtorch version that brings it where that is later than the oldest one supported.
c_view() {
  local filter=$1
  shift
  awk -v wanted="$(names "$filter")" -v version="$torch_version" '
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
    BEGIN { n = split(wanted, list); for (i = 1; i <= n; i++) want[list[i]] = 1 }
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
      split(version, part, ".")
      print "// The C view of the libtorch functions that Gatun binds, made by jextract.sh from the headers of libtorch " version "."
      print "// Do not edit. libtorch is under a BSD-3-Clause licence, see NOTICE."
      print "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n"
      printf "#define TORCH_ABI_VERSION 0x%02x%02x%012xULL\n\n", part[1], part[2], 0
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
  printf '/// %s\n@org.jspecify.annotations.NullMarked\npackage dev.gatun.bindings.%s;\n' "$2" "$1" \
    >"$out/$java/$1/package-info.java"
}

# edit FOLDER EXPRESSION...: applies sed expressions to the Java files of a folder.
edit() {
  local folder=$1 file
  shift
  for file in "$folder"/*.java; do
    sed -E "$@" "$file" >"$work/edited"
    cp "$work/edited" "$file"
  done
}

# bind PACKAGE CLASS LIBRARY HEADER FILTER: runs jextract, and checks that it made all that the filter lists, since
# it says nothing of a listed name that no header declares.
bind() {
  local package=$1 class=$2 library=$3 header=$4 filter=$5 folder=$out/$java/$1 option name
  local paths=(${cuda_includes[@]+"${cuda_includes[@]/#/-I}"})
  "$jextract" --output "$out/src/main/java" -t "dev.gatun.bindings.$package" --header-class-name "$class" \
    -l "$library" ${paths[@]+"${paths[@]}"} "@$filter" "$header" || fail "jextract failed on $header"
  while read -r option name; do
    [[ -f $folder/$name.java ]] || grep -qE "public static [A-Za-z.]+ $name\(" "$folder/$class.java" ||
      fail "$filter: the headers have no $name for $option"
  done < <(grep '^--include' "$filter")
  # On the machine that generates, int64_t and size_t are a C long; elsewhere a long may have 32 bits. No function
  # bound here takes a real long, so long long says what is meant.
  edit "$folder" -e '/ C_LONG = /d' -e 's/C_LONG($|[^_])/C_LONG_LONG\1/g'
}

make_torch() {
  local headers=$torch_include/torch/csrc/inductor/aoti_torch
  mkdir -p "$out/$views" "$out/$resources"
  local common=("$headers/c/macros.h" "$headers/c/shim.h" "$torch_include/torch/csrc/stable/c/shim.h")
  c_view "$includes/torch.txt" "${common[@]}" "$headers/c/shim_cpu.h" \
    "$headers/generated/c_shim_aten.h" "$headers/generated/c_shim_cpu.h" >"$out/$views/torch.h"
  c_view "$includes/torch-cuda.txt" "${common[@]}" "$headers/generated/c_shim_cuda.h" >"$out/$views/torch_cuda.h"
  optional_symbols "$out/$views/torch.h" >"$out/$resources/optional-symbols.txt"
  schemas "$includes/aten.txt" "$torch_include/ATen/ops" >"$out/$resources/aten-schemas.txt"
  bind torch Torch torch_cpu "$out/$views/torch.h" "$includes/torch.txt"
  bind torch TorchCuda torch_cuda "$out/$views/torch_cuda.h" "$includes/torch-cuda.txt"
  package_info torch "libtorch's C ABI: \`Torch\` is libtorch_cpu, \`TorchCuda\` is libtorch_cuda. Made by jextract."
}

# bind_cuda PACKAGE CLASS SONAME LIBRARY HEADER FILTER: without its library a class would die as it is loaded, and with
# another one of that name it would link that; so its symbols come from LIBRARY of our CudaLibrary.
bind_cuda() {
  local package=$1 class=$2 soname=$3 library=$4 header=$5 filter=$6 folder
  for folder in "${cuda_includes[@]}"; do
    if [[ -f $folder/$header ]]; then
      sed 's/();/(void);/' "$folder/$header" >"$work/$header"
      bind "$package" "$class" ":$soname" "$work/$header" "$includes/$filter"
      edit "$out/$java/$package" \
        -e "/ SYMBOL_LOOKUP = .*\"$soname\"/{N;N;s/ = .*/ = dev.gatun.bindings.load.CudaLibrary.$library.symbols();/;}"
      return
    fi
  done
  fail "no $header in the CUDA folders: ${cuda_includes[*]}"
}

make_cuda() {
  bind_cuda cuda Cuda libcuda.so.1 DRIVER cuda.h cuda.txt
  package_info cuda 'The CUDA driver API. Made by jextract.'
  bind_cuda cublas Cublas libcublas.so.13 CUBLAS cublas_v2.h cublas.txt
  bind_cuda cublas CublasLt libcublasLt.so.13 CUBLAS_LT cublasLt.h cublaslt.txt
  package_info cublas 'cuBLAS and cuBLASLt: matrix products on CUDA devices. Made by jextract.'
  bind_cuda nvrtc Nvrtc libnvrtc.so.13 NVRTC nvrtc.h nvrtc.txt
  package_info nvrtc 'NVRTC: compiles CUDA C++ at run time. Made by jextract.'
  bind_cuda nccl Nccl libnccl.so.2 NCCL nccl.h nccl.txt
  package_info nccl 'NCCL: collectives between CUDA devices. Made by jextract.'
}

# checksums: one line for each input and output of this script, by paths from the root.
checksums() {
  local sum=(sha256sum)
  command -v sha256sum >/dev/null || sum=(shasum -a 256)
  cd "$root"
  find jextract.sh bindings/includes "bindings/$views" "bindings/$resources" "bindings/$java"/{torch,cuda,cublas,nvrtc,nccl} \
    -type f -print0 | xargs -0 "${sum[@]}" | sort -k 2
}

# new_checksums: a run without CUDA headers keeps the old lines of the CUDA libraries, so that a change of their
# inputs does not pass for a regeneration.
new_checksums() {
  local cuda_files='bindings/(includes/(cuda|cublas|cublaslt|nvrtc|nccl)\.txt|src/main/java/.*/(cuda|cublas|nvrtc|nccl)/)'
  if $with_cuda; then
    checksums
  else
    { checksums | grep -Ev "$cuda_files"; grep -E "$cuda_files" "$root/bindings/bindings.sha256"; } | sort -k 2
  fi
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
cuda_includes=("${folders[@]:1}")
with_cuda=$([[ ${#cuda_includes[@]} -gt 0 ]] && echo true || echo false)
[[ -f $torch_include/torch/csrc/stable/c/shim.h ]] ||
  fail "$torch_include is no include folder of libtorch 2.10 or later: it has no torch/csrc/stable/c/shim.h"
torch_version=$(awk '/^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) / { v = v (v == "" ? "" : ".") $3 } END { print v }' \
  "$torch_include/torch/headeronly/version.h")

jextract=$(find_jextract)
includes=$root/bindings/includes
views=src/main/c
java=src/main/java/dev/gatun/bindings
resources=src/main/resources/dev/gatun/bindings/torch
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/bindings

generated=("$views" "$resources" "$java/torch")
make_torch
if $with_cuda; then
  generated+=("$java/cuda" "$java/cublas" "$java/nvrtc" "$java/nccl")
  make_cuda
fi

if $check; then
  stale=false
  for folder in "${generated[@]}"; do
    diff -rq "$root/bindings/$folder" "$out/$folder" >&2 || stale=true
  done
  checksums | diff "$root/bindings/bindings.sha256" - >&2 || stale=true
  $stale && fail "the committed bindings are stale: run ./jextract.sh without --check and commit"
  echo "jextract.sh: the committed bindings are what libtorch $torch_version gives"
else
  for folder in "${generated[@]}"; do
    mkdir -p "$root/bindings/$folder"
    rm -r "$root/bindings/$folder"
    cp -r "$out/$folder" "$root/bindings/$folder"
  done
  new_checksums >"$work/bindings.sha256"
  cp "$work/bindings.sha256" "$root/bindings/bindings.sha256"
fi
