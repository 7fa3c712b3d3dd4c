# Job control in a script (set -m): process groups, stop and continue, fg, bg, jobs, disown, suspend.
set -m
group() { ps_pgrp=$(cut -d' ' -f5 /proc/$1/stat); echo $(( ps_pgrp == $1 )); }
sleep 30 & pid=$!
echo "a group of its own: $(group $pid)"
jobs -r | sed 's/[0-9]\{3,\}/PID/'
kill -STOP %1
while ! grep -q 'State:.T' /proc/$pid/status; do sleep 0.01; done
wait %1; echo "stopped: $(($? > 128))"
jobs | sed 's/  */ /g'
bg %1 >/dev/null; jobs -r | wc -l
kill %1; wait %1; echo "terminated $?"
( sleep 0.05; exit 4 ) & fg %+ >/dev/null; echo "fg $?"
sleep 0.05 | sleep 0.05 | (sleep 0.05; exit 5) & wait $!; echo "pipeline $?"
sleep 20 | sleep 20 | sleep 20 &
leader=$(jobs -p %+)
members=0
for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <"$stat" || continue
    set -- ${line##*) }
    [[ $3 == "$leader" ]] && members=$((members + 1))
done
echo "members of the pipeline's group: $members"
kill -TERM -- -$leader; wait; echo "all ended $?"
for member in $leader; do kill -0 -- -$member 2>/dev/null || echo "the group is gone"; done
trap 'echo "CHLD"' CHLD
(exit 3) & wait $!; echo "status $?"
trap - CHLD
bash -c 'trap "echo got CONT" CONT; kill -STOP $$; sleep 0.01; echo "goes on"; exit 6' &
pid=$!
while ! grep -q 'State:.T' /proc/$pid/status; do sleep 0.01; done
fg %% >/dev/null; echo "fg $?"
bash -c 'trap "" TTOU TTIN; cat </dev/null; exit 2' & wait -f $!; echo "status $?"
set +m
sleep 30 & pid=$!; echo "no group of its own: $(group $pid)"; kill $pid; wait $pid; echo $?
exit 1
