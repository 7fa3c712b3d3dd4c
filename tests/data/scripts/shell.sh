# The POSIX shell: here-documents, traps, jobs, functions, expansions, getopts, set -e and -u.
cat <<END
here $((1 + 2)) $(echo sub) ${HOME:+home}
END
cat <<'END' | tr a-z A-Z
quoted $here
END
f() { cat <<-END
	in a function: $1
	END
}
f arg
trap 'echo "exit $?"' EXIT
trap 'echo "usr1"' USR1
kill -USR1 $$
(trap 'echo sub exit' EXIT; exit 2); echo "subshell $?"
(sleep 0.02; exit 5) & a=$!
(exit 6) & b=$!
wait $a; echo "a $?"; wait $b; echo "b $?"
(kill -TERM $(exec sh -c 'echo $PPID')); echo "subshell killed $?"
true | false; echo "pipeline $?"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
x=outer; (x=inner; echo $x); echo $x
echo "piped" | while read -r w; do x=$w; done; echo $x
IFS=: ; set -- $(echo a:b:c); unset IFS; echo $# $2
path=/a/b/c.tar.gz; echo ${path##*/} ${path%/*} ${path%%.*} ${path#*.}
i=0; while :; do i=$((i + 1)); [ $i -eq 3 ] && continue; [ $i -gt 5 ] && break; printf '%s ' $i; done; echo
until [ $i -le 0 ]; do i=$((i - 2)); done; echo $i
case x$i in x-*) echo negative;; *) echo other;; esac
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1 - 1))))); fi; }
fact 10
while getopts ab:c o -a -b val -c rest; do echo "$o ${OPTARG-}"; done
exec 3>file; echo three >&3; exec 3>&-; exec 4<file; read -r l <&4; echo "read $l"; exec 4<&-
{ echo out; echo err >&2; } 2>&1 | sort
echo overwritten >file; echo appended >>file; cat <file; cat <>file | wc -l
sh -c 'echo "args $0 $*"' zero one two
sh -ec 'false; echo not reached'; echo "set -e $?"
sh -uc 'echo $undefined' 2>/dev/null; echo "set -u $?"
sh -c 'exit 300'; echo "exit 300 is $?"
sh -c 'nonexistent_command' 2>/dev/null; echo "not found $?"
mkdir dir; sh -c ./dir 2>/dev/null; echo "not executable $?"
echo 'echo "from a file: $#"' >script; . ./script; sh script a b
printf '%s\n' *; printf '[%s]' "a b" 'c'; echo
v='a  b'; echo $v; echo "$v"; set -- $v; echo $#
eval "echo \$v"; command echo command; type echo >/dev/null && echo type
readonly r=1; (r=2) 2>/dev/null; echo "readonly $?"
echo "$(echo "$(echo "$(echo deep)")")" `echo back \`echo ticks\``
n=0; for w in $(seq 50); do n=$((n + w)); echo $w; done | tail -n 1; echo $n
for n in 1 2 3 4 5 6 7 8; do (exit $n) & done; wait; echo "all $?"
alias hi='echo aliased'; hi 2>/dev/null || echo "no alias"
ulimit -n 64; ulimit -n
cd dir && pwd | sed 's/.*\///' && cd - >/dev/null && cd ./dir/.. 
test -f file -a ! -d file && [ "a" != b ] && echo tests
sleep 30 & kill $!; wait $! 2>/dev/null; echo "killed $?"
kill -l 15; trap '' TERM; kill -TERM $$; echo "survived"
umask 022; umask; (umask 777; umask); umask
read -r one two <<END
first second third
END
echo "$one|$two"
exit 3
