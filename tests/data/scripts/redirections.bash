# Redirections: here-documents and -strings, descriptors by number and name, process substitution,
# FIFOs, exec, noclobber, /dev/fd, /dev/std*, command substitution, read and mapfile.
name=world
cat <<END
hello $name, $((6 * 7)), $(echo nested "$(echo deep)")
  \$name stays, \`too\`
END
cat <<'END'
no $expansion `here` \n
END
cat <<-END
	tabs go
	$(printf '%s\n' a b | tac)
	END
cat <<A; cat <<B
first
A
second
B
cat <<<"a here-string of $name"
tr a-z A-Z <<<"$(seq 3 | paste -sd+)"

exec 3>out; echo "to three" >&3; echo "again" >&3; exec 3>&-
cat out
echo closed 2>/dev/null >&3 || echo "bad descriptor"
exec {fd}<>out; read -r line <&$fd; echo "named: $line, $((fd >= 10))"; exec {fd}>&-
{ echo to stdout; echo to stderr >&2; } 2>&1 >/dev/null | sed 's/^/piped: /'
{ echo out; echo err >&2; } >both 2>&1; cat both
{ echo out; echo err >&2; } &>>both; wc -l <both
{ echo A; echo B >&3; } 3>&1 >/dev/null
set -o noclobber; echo x 2>/dev/null >both || echo "noclobber"; echo y >|both; cat both; set +o noclobber

diff <(printf '1\n2\n3\n') <(printf '1\nTWO\n3\n'); echo "diff $?"
paste <(seq 3) <(seq 4 6) <(seq 7 9)
tee >(tr a-z A-Z >upper) >(rev >reversed) <<<"abc" >/dev/null; sleep 0.1
cat upper reversed
while read -r a b; do echo "$b $a"; done < <(printf 'x 1\ny 2\n'); echo "outer ${a:-unset}"

mkfifo pipe
( for i in 1 2 3; do echo "line $i"; done >pipe ) &
while read -r line; do echo "fifo: $line"; done <pipe
wait
cat <pipe & echo "through the fifo" >pipe; wait
test -p pipe && echo "is a fifo"

echo "dev fd" | cat /dev/fd/0
echo "dev stdin" | cat /dev/stdin -
echo "to stderr" 2>&1 >/dev/stderr | cat
mapfile -t lines < <(seq 5); echo "${#lines[@]} ${lines[3]}"
IFS=: read -r -a parts <<<"a:b:c"; echo "${parts[@]: -1}"
printf 'x\0y\0' | while IFS= read -r -d '' item; do echo "item $item"; done
read -r -n 3 three <<<"abcdef"; echo "$three"
printf 'no newline' | { read -r line; echo "status $? line $line"; }
out=$(cat <<END
within a substitution: $(cat <<INNER
inner
INNER
)
END
); echo "$out"
exec 4<&0 0<out; read -r line; exec 0<&4 4<&-; echo "stdin was $line"
exec 5>&1 >log; echo "into the log"; exec >&5 5>&-; cat log
echo "$(< log)"
x=$(exit 9); echo "substitution status $?"
ls absent 2>/dev/null || echo "no such file"
big=$(head -c 300000 /dev/zero | tr '\0' z); echo ${#big}
cat <<<"$big" | wc -c
exec cat <<<"replaced"
