# SPDX-License-Identifier: Apache-2.0
#
# Functions that the job scripts of the schedulers share. slurm.sbatch, pbs.sh and sge.sh source it,
# and set `launch` to this folder and `name` to their own name.
#
# A `%a` in an argument becomes the number of the job array's task, as in `--set seed=%a`. In an
# array, an `--output RUN` without `%a` becomes RUN/task-N, so no two tasks share a folder.

# Sets `arguments` to those of train, `run` to their folder, `program` to the program, and `before`
# to the newest checkpoint.
#
#   prepare_job TASK ARGUMENT ...      TASK is empty outside arrays
prepare_job() {
  local task=$1 index at=
  shift
  arguments=("$@") run=
  for index in "${!arguments[@]}"; do
    case ${arguments[index]} in
    --output) at=$((index + 1)) ;;
    --output=*) at=$index ;;
    esac
  done
  if [ -n "$at" ] && [ "$at" -lt "${#arguments[@]}" ]; then
    if [ -n "$task" ]; then
      case ${arguments[at]} in *%a*) ;; *) arguments[at]+=/task-%a ;; esac
      arguments=("${arguments[@]//%a/$task}")
    fi
    run=${arguments[at]#--output=}
  fi
  [ -n "$run" ] || { echo "$name: add --output RUN" >&2; exit 64; }
  for program in ${PROGRAM:+"$PROGRAM"} "$launch/../bin/momentum-dist" \
    "$launch/../.build/release/momentum-dist" momentum-dist; do
    [ "$program" != "${PROGRAM:-}" ] && [ ! -x "$program" ] || break
  done
  before=$("$launch/supervise" --newest "$run")
  export OPENBLAS_NUM_THREADS=1
}

# Runs the training by a launcher, with its options, until it ends, and leaves its status in
# `status`. It saves and ends with 75 on the scheduler's signals, and after this many seconds unless
# that is 0.
#
# A signal before the start, which the scripts note in `early`, starts nothing.
#
#   run_job SECONDS mpirun ...
run_job() {
  local seconds=$1 supervisor timer=
  shift
  if [ -n "${early:-}" ]; then
    echo "$name: stopped before the start" >&2
    status=75
    return
  fi
  "$launch/supervise" --resume --restarts 3 "$@" "$program" train "${arguments[@]}" &
  supervisor=$!
  # This script keeps running, to receive the signals.
  # shellcheck disable=SC2064
  trap "kill -USR2 $supervisor 2>/dev/null" USR2 TERM
  # shellcheck disable=SC2064
  trap "kill -USR1 $supervisor 2>/dev/null" USR1
  [ -z "${early:-}" ] || kill -USR2 "$supervisor"
  if [ "$seconds" -gt 0 ]; then
    (trap 'kill "$wait"' TERM; sleep "$seconds" & wait=$!; wait $wait && kill -USR2 $supervisor) &
    timer=$!
  fi
  while :; do
    status=0
    wait "$supervisor" || status=$?
    kill -0 "$supervisor" 2>/dev/null || break
  done
  # The signal ended supervise itself, before it could pass it on.
  [ "$status" != 140 ] || status=75
  [ -z "$timer" ] || kill "$timer" 2>/dev/null
}

# Whether to put the job back into the queue: it was stopped (75) after a new checkpoint. A job that
# saves no new step within its time limit would be put back forever.
is_to_come_back() {
  local newest
  [ "$status" = 75 ] || return 1
  newest=$("$launch/supervise" --newest "$run")
  [ "$newest" = "$before" ] || return 0
  echo "$name: no new step was saved (newest: ${newest:-none}); not back into the queue: ask for more time" >&2
  return 1
}
