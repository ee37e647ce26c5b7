#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A training as a PBS job (OpenPBS, PBS Professional; Torque with the marked lines) that saves
# before its time limit and resumes in the next job.
#
#   qsub -v ARGUMENTS="--config configs/mnist-pixels.yaml --output runs/pixels" launch/pbs.sh
#   qsub -J 1-5 -v ARGUMENTS="--config FILE --output runs/seeds --set seed=%a" launch/pbs.sh
#
# PBS passes no arguments to a script. ARGUMENTS is split at its spaces, and must not contain
# commas, which end a value of -v. LAUNCH is the folder of this script, if the job is not submitted
# from the folder above it. SECONDS_OF_WORK after its start the run saves and ends with 75, and the
# job submits itself again if there is a new checkpoint. This is because PBS gives a job only
# seconds between SIGTERM and SIGKILL, and has no exit status that puts it back into the queue. A
# lost rank or host (76) restarts the run within the job.
#PBS -N momentum-dist
#PBS -l select=2:ncpus=16:mpiprocs=16
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r n
# Torque: #PBS -l nodes=2:ppn=16, and qsub -t 1-5.
set -uo pipefail
name=pbs.sh
# Until run_job sets others. Without them an early signal would end this script.
trap 'early=1' USR2 TERM
trap : USR1
seconds_of_work=${SECONDS_OF_WORK:-14100} # the walltime without five minutes

cd "${PBS_O_WORKDIR:?start it with qsub}" || exit 74
launch=${LAUNCH:-$PWD/launch}
[ -e "$launch/job.bash" ] || { echo "$name: there is no $launch/job.bash; set LAUNCH to its folder" >&2; exit 78; }
. "$launch/job.bash"

# Without expanding a `*` to the names of files.
read -ra words <<<"${ARGUMENTS:-}"
prepare_job "${PBS_ARRAY_INDEX:-${PBS_ARRAYID:-}}" ${words[@]+"${words[@]}"}

# Debian's Open MPI has no support for PBS. It reads the file of hosts, with one line for each rank,
# and starts its daemons by ssh. If `ompi_info` lists the component tm, leave out --hostfile.
ranks=$(wc -l <"${PBS_NODEFILE:?start it with qsub}")
run_job "$seconds_of_work" \
  mpirun --hostfile "$PBS_NODEFILE" -np "$ranks" --map-by core --bind-to core

if is_to_come_back; then
  echo "$name: saved; submitting the job again"
  # In an array, only this task, as a job of its own. Its arguments already contain its number.
  qsub -v "ARGUMENTS=${arguments[*]},LAUNCH=$launch,SECONDS_OF_WORK=$seconds_of_work${PROGRAM:+,PROGRAM=$PROGRAM}" \
    "$launch/pbs.sh"
fi
exit "$status"
