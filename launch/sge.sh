#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A training as a Grid Engine job that saves before its time limit and resumes in the next job.
#
#   qsub launch/sge.sh --config configs/mnist-pixels.yaml --output runs/pixels
#   qsub -t 1-5 launch/sge.sh --config FILE --output runs/seeds --set seed=%a
#
# SECONDS_OF_WORK after its start the run saves and ends. It also does so on SIGUSR2, which -notify
# sends before SIGKILL and qdel sends too. If there is a new checkpoint, the script then ends with
# 99, which puts the job back into the queue. SIGUSR1, which -notify sends before a suspension,
# saves and continues. A lost rank or host (76) restarts the run within the job. LAUNCH is the
# folder of this script, if the job is not submitted from the folder above it.
#
# Adjust the lines below: the name of the parallel environment (`qconf -spl`) and its slots, one per
# rank.
#$ -N momentum-dist
#$ -S /bin/bash
#$ -cwd
#$ -V
#$ -pe mpi 32
#$ -l h_rt=04:00:00
#$ -j y
#$ -notify
#$ -r y
set -uo pipefail
name=sge.sh
# Until run_job sets others. Without them an early signal would end this script.
trap 'early=1' USR2 TERM
trap : USR1
seconds_of_work=${SECONDS_OF_WORK:-14100} # h_rt without five minutes

# Grid Engine runs a copy of this script.
launch=${LAUNCH:-${SGE_O_WORKDIR:?start it with qsub}/launch}
[ -e "$launch/job.bash" ] || { echo "$name: there is no $launch/job.bash; set LAUNCH to its folder" >&2; exit 78; }
. "$launch/job.bash"

task=${SGE_TASK_ID:-undefined}
[ "$task" != undefined ] || task=
prepare_job "$task" "$@"

# Open MPI with the component gridengine (see `ompi_info`; Debian's has it) gets the hosts of the
# ranks from Grid Engine, and starts its daemons by qrsh. The parallel environment must have
# `control_slaves TRUE`.
run_job "$seconds_of_work" \
  mpirun -np "${NSLOTS:?start it with qsub -pe}" --map-by core --bind-to core

if is_to_come_back; then
  echo "$name: saved; back into the queue"
  exit 99
fi
exit "$status"
