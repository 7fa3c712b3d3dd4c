# zsh: arrays, globs with qualifiers, parameter flags, traps, coprocesses, process substitution, jobs.
emulate -R zsh
setopt extended_glob pipefail no_monitor
typeset -A price; price=(pear 3 fig 12 plum 7)
for key in ${(ko)price}; do print "$key=$price[$key]"; done
list=(c a 'b d' e); print ${#list} $list[2] $list[-1] ${(o)list} ${(j:,:)list}
print ${(U)list[1]} ${(s.:.):-x:y:z} ${list:#a} ${(q)list[3]} ${list[2,3]}
touch f1 f2 g1 'h i'; mkdir -p sub/deep; touch sub/deep/leaf; chmod 600 f2; ln -s f1 lnk
print -l *(.) ; print *(/) ; print *(@) ; print **/*(.) ; print f<1-5> ; print ^f* ; print *(om[1]:t) >/dev/null
print -l -- *(f600)
cat <<END
here $(( 6 * 7 )) ${(U)price[(i)x]:-none}
END
cat <<<"here-string"
diff <(print -l 1 2 3) <(print -l 1 two 3) | grep '^[-+]\w'; print "diff $pipestatus"
print -l x y z | while read line; do last=$line; done; print "last pipe in this shell: $last"
cmp =(print same) =(print same) && print "temporary files"
true | false | (exit 7) | true; print "status $? pipestatus $pipestatus"
( sleep 0.03; exit 3 ) & wait $!; print "waited $?"
for n in 1 2 3; do ( exit $n ) & pids+=($!); done
for p in $pids; do wait $p; print -n "$? "; done; print
TRAPUSR1() { print "USR1 by function $1"; }
kill -USR1 $$
trap 'print "TERM by trap"' TERM
kill -TERM $$
TRAPZERR() { print "ZERR $?"; }
false; true; (exit 4)
unfunction TRAPZERR
TRAPEXIT() { print "exit, status $?"; }
( trap 'print "sub exit"' EXIT; exit 5 ); print "sub $?"
coproc { while read l; do print "<$l>"; done; }
print -p one; read -p answer; print "coproc $answer"
print -p two; read -p answer; print "coproc $answer"
kill $!; wait $! 2>/dev/null; print "coproc ended $?"
{ print body; false } always { print "always $?" }
() { print "anonymous $1 $#" } arg
f() { local x=$1; (( x > 0 )) && { print -n "$x "; f $(( x - 1 )) | cat } || print end }
f 4
integer i s; for (( i = 0; i < 500; i++ )) (( s += i * i % 7 )); print "sum $s"
print $(( 16#ff )) $(( 2 ** 40 )) $(( 7 / 2. )) $(( [#2] 10 )) $(( 1.5 * 2 ))
repeat 3 print -n "r "; print
case file.tar.gz in (*.zip) print zip;; (*.tar.*) print tar;| (*.gz) print gz;; esac
[[ 2026-11-26 == (#b)([0-9]##)-([0-9]##)-* ]] && print $match
x=/usr/share/doc.tar.gz; print $x:t $x:h $x:r $x:e ${x//a/A} ${x##*/}
print {1..5} x{A,B}y; print -f '%5d|%-5s|%x\n' 42 ab 255
exec {fd}>out; print -u $fd "by name"; exec {fd}>&-; print "$(<out)"
print multi >one >two; cat one two; cat <one <two
mkfifo p; ( print "fifo line" >p ) & read l <p; print $l; wait
sleep 50 & kill $!; wait $! 2>/dev/null; print "killed $?"
timeout 0.1 sleep 5; print "timeout $?"
print "$(print nested $(print deeper))" ; y=$(exit 9); print "status $?"
( kill -KILL $(exec sh -c 'echo $PPID') ); print "subshell $?"
typeset -i 16 hex=255; print $hex; typeset -U u; u=(a b a c b); print $u
zmodload zsh/datetime && (( EPOCHSECONDS > 0 )) && print datetime
zmodload zsh/stat && zstat -H st one && print $st[size] $(( $st[nlink] ))
eval 'print eval'; setopt err_exit; ( false; print "not reached" ) || print "caught $?"
exit 6
