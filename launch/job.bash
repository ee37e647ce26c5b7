# What the job scripts of the schedulers share; sourced by slurm.sbatch, pbs.sh and sge.sh, which set
# `launch` to this folder and `name` to their own name.
#
# A `%a` in an argument becomes the number of the job array's task, as in `--set seed=%a`; an
# `--output RUN` without one becomes RUN/task-N there, so that no two tasks share a folder.

# Sets `arguments` to those of train, `run` to their folder, `program`, and `before` to the newest
# checkpoint.
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

# Runs the training by a launcher, with its options, until it ends; leaves its status in `status`. The
# scheduler's signals, and so many seconds if that is not 0, have it save and end with 75.
#
#   run_job SECONDS mpirun ...
run_job() {
  local seconds=$1 supervisor timer=
  shift
  "$launch/supervise" --resume --restarts 3 "$@" "$program" train "${arguments[@]}" &
  supervisor=$!
  # This script stays, to hear the signals.
  # shellcheck disable=SC2064
  trap "kill -USR2 $supervisor 2>/dev/null" USR2 TERM
  # shellcheck disable=SC2064
  trap "kill -USR1 $supervisor 2>/dev/null" USR1
  if [ "$seconds" -gt 0 ]; then
    (trap 'kill "$wait"' TERM; sleep "$seconds" & wait=$!; wait $wait && kill -USR2 $supervisor) &
    timer=$!
  fi
  while :; do
    status=0
    wait "$supervisor" || status=$?
    kill -0 "$supervisor" 2>/dev/null || break
  done
  [ -z "$timer" ] || kill "$timer" 2>/dev/null
}

# Whether the job is to come back: it was stopped (75) after a new checkpoint. One that comes to no new
# step before its time is over would come back forever.
is_to_come_back() {
  local newest
  [ "$status" = 75 ] || return 1
  newest=$("$launch/supervise" --newest "$run")
  [ "$newest" = "$before" ] || return 0
  echo "$name: no new step was saved (newest: ${newest:-none}); not back into the queue: ask for more time" >&2
  return 1
}
