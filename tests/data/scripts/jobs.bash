# Background jobs, wait in all its forms, job ids, kill, SIGCHLD traps, disown, PIPESTATUS.
set -o pipefail
true | false | (exit 7) | true
echo "pipestatus ${PIPESTATUS[*]} ($?)"
true | false | (exit 7) | true
echo "pipefail $?"
set +o pipefail
true | false | (exit 7) | true
echo "without $?"
! false | true | true; echo "negated $?"

sleep 0.05 & first=$!
(exit 3) & second=$!
(exit 4) & third=$!
wait $second; echo "second $?"
wait $third; echo "third $?"
wait $first; echo "first $?"
wait $first; echo "remembered $?"
wait 999999; echo "not a child $?"

for n in 1 2 3 4 5; do
    ( sleep 0.0$n; exit $n ) &
done
sum=0
for n in 1 2 3 4 5; do
    wait -n; sum=$((sum + $?))
done
echo "wait -n sum $sum"
wait -n; echo "none left $?"

( kill -TERM $BASHPID ) & wait $!; echo "killed by TERM $?"
( kill -KILL $BASHPID ) & wait $!; echo "killed by KILL $?"
( trap '' TERM; kill -TERM $BASHPID; exit 9 ) & wait $!; echo "ignored TERM $?"

caught=0
trap 'caught=$((caught + 1))' CHLD
for n in 1 2 3; do /bin/true & wait $!; done
trap - CHLD
echo "SIGCHLD seen: $((caught >= 3))"

trap 'echo usr1 in the parent' USR1
( sleep 0.05; kill -USR1 $$ ) &
wait; echo "wait interrupted $(($? > 128))"
wait; echo "wait again $?"
trap - USR1

sleep 100 & victim=$!
kill $victim; wait $victim 2>/dev/null; echo "terminated $?"
kill -0 $victim 2>/dev/null; echo "gone $?"

coproc LOOP { while read -r line; do echo "<$line>"; done; }
echo one >&"${LOOP[1]}"; read -r answer <&"${LOOP[0]}"; echo "coproc $answer"
echo two >&"${LOOP[1]}"; read -r answer <&"${LOOP[0]}"; echo "coproc $answer"
loop_pid=$LOOP_PID
eval "exec ${LOOP[1]}>&-"
wait "$loop_pid"; echo "coproc ended $?"

yes | head -n 3
yes | (exit 5) ; echo "pipestatus ${PIPESTATUS[*]}"
( sleep 0.02; echo late ) & echo early; wait
echo "jobs left: $(jobs | wc -l)"
f() { local x=$1; if ((x > 0)); then echo -n "$x "; f $((x - 1)) | cat; else echo end; fi; }
f 6
{ sleep 10 & } ; disown; kill %% 2>/dev/null || echo "disowned"
kill $!
exit 42
