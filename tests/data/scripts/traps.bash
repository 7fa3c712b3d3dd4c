# Traps: EXIT, INT, TERM, ERR, DEBUG, RETURN, in functions and subshells; the statuses they leave.
trap 'echo "exit trap, status $?"' EXIT
trap 'echo "TERM caught"' TERM
trap 'echo "INT caught"' INT
trap 'echo "HUP caught"' HUP
kill -TERM $$; echo "after TERM"
kill -INT $$; echo "after INT"
kill -s HUP $$; echo "after HUP"
trap -p TERM
( trap -p TERM; echo "subshell" )
( kill -TERM $BASHPID; echo "not reached" ); echo "the subshell: $?"
( trap 'echo "inner exit $?"' EXIT; exit 5 ); echo "status $?"
( trap 'exit 6' TERM; kill -TERM $BASHPID; echo "not reached" ); echo "status $?"
trap '' HUP
bash -c 'kill -HUP $$; echo "HUP ignored by the child too"'
trap - HUP
bash -c 'kill -HUP $$; echo "not reached"' ; echo "status $?"
set -E
trap 'echo "ERR at $LINENO: $?"' ERR
false
f() { return 3; }
f
(exit 4)
false || true
if false; then :; fi
trap - ERR
g() { trap 'echo "leaving ${FUNCNAME[0]}"' RETURN; echo "in g"; }
g
trap - RETURN
count=0
trap 'count=$((count + 1))' USR1
for i in 1 2 3 4 5; do kill -USR1 $$; done
echo "USR1 $count times"
slow() { sleep 0.3; echo "slow done"; }
trap 'echo "ALRM while in a builtin"' ALRM
( sleep 0.05; kill -ALRM $$ ) &
read -t 0.3 line < <(sleep 1) ; echo "read -t: $(($? > 128))"
wait
( sleep 0.05; kill -ALRM $$ ) &
slow
wait
while :; do
    bash -c 'kill -TERM $PPID; exit 1' || break
done
echo "loop left"
bash -c 'trap "echo bye; trap - TERM; kill -TERM \$\$" TERM; kill -TERM $$; echo "not reached"'
echo "as by TERM $?"
timeout 0.1 sleep 10; echo "timeout $?"
timeout -s KILL 0.1 sleep 10; echo "timeout -s KILL $?"
timeout 5 sh -c 'exit 3'; echo "timeout passes on $?"
bash -c 'ulimit -c 0; kill -SEGV $$' 2>/dev/null; echo "SEGV $?"
bash -c 'kill -STOP $$; echo "went on"' & pid=$!
while ! grep -q 'State:.T' /proc/$pid/status; do sleep 0.01; done
kill -CONT $pid; wait $pid; echo "continued $?"
kill -l 9 15 138
trap 'echo "second exit trap"; exit 8' EXIT
exit 1
