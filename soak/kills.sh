#!/usr/bin/env bash
# Kills a run at seeded random moments and resumes it, many times; the loss list must equal that of a run left alone, bit for bit.
# Usage: soak/kills.sh [KILLS] [SEED]        (default: 50 kills, seed 1; about 10 minutes on two quiet cores)
# Every third kill is aimed at a checkpoint write: it comes as soon as a temporary file is seen. A kill counts as one inside a
# write if it leaves that file behind, and of 50 at least 10 must.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kills=${1:-50}
seed=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RANDOM=$seed

run() {
  exec ./gatun finetune --data demo/data/train/java-jwt --eval-split 0 --max-length 64 --batch 2 --steps 400 --threads 1 \
    --dropout hiddenkey --checkpoint-every 5 --out "$1" --json "${@:2}"
}

losses() { tail -n 1 "$1" | grep -o '"train_loss":\[[^]]*\],"kl_loss":\[[^]]*\]'; }

# new_temporary FOLDER KNOWN: whether the folder has a half-written checkpoint that is not among the known ones.
new_temporary() {
  local file
  for file in "$1"/checkpoints/.*.tmp; do
    [[ $2 == *"$file"* ]] || return 0
  done
  return 1
}

echo "reference run"
(run "$work/alone" >"$work/alone.json" 2>/dev/null)
losses "$work/alone.json" >"$work/alone.txt"

killed=0
writing=0
rounds=0
while [ "$killed" -lt "$kills" ]; do
  rounds=$((rounds + 1))
  out=$work/run$rounds
  resume=()
  while :; do
    known="$(echo "$out"/checkpoints/.*.tmp)"
    run "$out" "${resume[@]}" >"$work/run.json" 2>"$work/run.err" &
    pid=$!
    if [ "$killed" -lt "$kills" ]; then
      if [ $((killed % 3)) -eq 2 ]; then
        while kill -0 "$pid" 2>/dev/null && ! new_temporary "$out" "$known"; do :; done
      else
        sleep "$(printf '%d.%02d' $((1 + RANDOM % 6)) $((RANDOM % 100)))"
      fi
      kill -9 "$pid" 2>/dev/null || true
    fi
    status=0
    wait "$pid" 2>/dev/null || status=$?
    case $status in
      0) break ;;
      137) killed=$((killed + 1)) ;;
      *) echo "round $rounds, after $killed kills: exit status $status" >&2 && cat "$work/run.err" >&2 && exit 1 ;;
    esac
    if new_temporary "$out" "$known"; then writing=$((writing + 1)); fi
    if [ -d "$out" ]; then resume=(--resume); fi
  done
  losses "$work/run.json" >"$work/run.txt"
  if ! cmp -s "$work/alone.txt" "$work/run.txt"; then
    echo "round $rounds: the losses differ after $killed kills" >&2
    exit 1
  fi
  echo "round $rounds: equal after $killed kills, $writing of them while a checkpoint was being written"
done
if [ $((writing * 5)) -lt "$kills" ]; then
  echo "only $writing of $killed kills came while a checkpoint was being written" >&2
  exit 1
fi
