#!/usr/bin/env bash
# Kills a run at seeded random moments and resumes it, many times; the loss list must equal that of a run left alone, bit for bit.
# Usage: soak/kills.sh [KILLS] [SEED]        (default: 50 kills, seed 1; about 15 minutes on two quiet cores)
# Every third kill is aimed at a checkpoint write: it comes as soon as the temporary file is seen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kills=${1:-50}
seed=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
RANDOM=$seed

run() {
  ./gatun finetune --data demo/data/train/java-jwt --eval-split 0 --max-length 64 --batch 2 --steps 400 --threads 1 \
    --dropout hiddenkey --checkpoint-every 5 --out "$1" --json "${@:2}"
}

losses() { tail -n 1 "$1" | grep -o '"train_loss":\[[^]]*\],"kl_loss":\[[^]]*\]'; }

echo "reference run"
run "$work/alone" >"$work/alone.json" 2>/dev/null
losses "$work/alone.json" >"$work/alone.txt"

killed=0
writing=0
rounds=0
while [ "$killed" -lt "$kills" ]; do
  rounds=$((rounds + 1))
  out=$work/run$rounds
  while :; do
    resume=()
    rm -f "$out"/checkpoints/.*.tmp
    [ -d "$out/checkpoints" ] && resume=(--resume)
    run "$out" "${resume[@]}" >"$work/run.json" 2>"$work/run.err" &
    pid=$!
    if [ "$killed" -ge "$kills" ]; then
      wait "$pid"
      break
    fi
    if [ $((killed % 3)) -eq 2 ]; then
      while kill -0 "$pid" 2>/dev/null; do
        if compgen -G "$out/checkpoints/.*.tmp" >"$work/seen"; then
          kill -9 "$pid" && writing=$((writing + 1)) && killed=$((killed + 1))
          break
        fi
      done
    else
      sleep "$(printf '%d.%02d' $((1 + RANDOM % 6)) $((RANDOM % 100)))"
      kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
    fi
    if wait "$pid" 2>/dev/null; then break; fi
  done
  losses "$work/run.json" >"$work/run.txt"
  if ! cmp -s "$work/alone.txt" "$work/run.txt"; then
    echo "round $rounds: the losses differ after $killed kills" >&2
    exit 1
  fi
  echo "round $rounds: equal after $killed kills, $writing of them while a checkpoint was being written"
done
