# Many processes at once: pipelines of pipelines, signals in a storm, output through one pipe, wait order.
for round in 1 2 3; do
    for worker in 1 2 3 4 5 6 7 8; do
        (
            total=0
            for n in $(seq $((worker * 10))); do total=$((total + n)); done
            echo "$worker $total"
        ) &
    done | sort -n | awk -v r=$round '{ sum += $2 } END { print "round", r, NR, sum }'
done
wait
seq 3000 | while read -r n; do ((n % 500)) || echo "$n"; done | tac | tr '\n' ' '; echo
cat /dev/zero | head -c 200000 | tr '\0' 'x' | fold -w 100 | tee >(wc -l >count) | md5sum
while [[ ! -s count ]]; do sleep 0.01; done; cat count
hits=0
trap 'hits=$((hits + 1))' USR1
for n in 1 2 3 4; do
    ( for i in 1 2 3 4 5; do kill -USR1 $$; sleep 0.004; done ) &
done
while [[ -n $(jobs -rp) ]]; do wait; done
trap - USR1
echo "hits: $((hits >= 5 && hits <= 20))"
mkfifo requests
replies=0
( while read -r client n; do echo "$((n * n))" >"reply.$client"; done <requests ) &
exec 7>requests
for client in a b c; do
    mkfifo reply.$client
    ( for n in 1 2 3 4 5; do echo "$client $n" >&7; read -r answer <reply.$client; echo "$client $answer"; done >out.$client ) &
    clients+=($!)
done
wait "${clients[@]}"
exec 7>&-
wait
cat out.a out.b out.c | cut -d' ' -f2 | paste -sd+
deep() { if (($1 > 0)); then ( deep $(($1 - 1)) ); else echo "bottom at $BASH_SUBSHELL"; fi; }
deep 25
x=$(echo $(echo $(echo $(echo nested)))); echo "$x"
printf '%s\n' {1..40} | xargs -P 6 -n 1 bash -c 'echo $(($0 % 7))' | sort | uniq -c | awk '{ print $1 ":" $2 }' | paste -sd' '
for signal in HUP TERM USR2 ALRM VTALRM KILL; do
    bash -c 'ulimit -c 0; trap - '$signal'; kill -'$signal' $$; echo survived' 2>/dev/null; echo -n "$signal $? "
done 2>/dev/null; echo
yes line | head -n 2000 | sort | uniq -c | awk '{ print $1, $2 }'
yes 2>/dev/null | head -n 1 >/dev/null; echo "${PIPESTATUS[*]}"
echo 0 >counter
for n in 1 2 3 4 5 6; do
    ( until mkdir lock 2>/dev/null; do sleep 0.002; done
      read -r value <counter; echo $((value + n)) >counter; rmdir lock ) &
done
wait; cat counter
exit 9
