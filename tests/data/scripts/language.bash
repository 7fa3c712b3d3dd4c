# The language itself: arrays, arithmetic, globs, patterns, parameter expansion, functions, select,
# printf, regular expressions, brace expansion, recursion.
shopt -s extglob nullglob
declare -A price=([pear]=3 [fig]=12 [plum]=7)
for key in $(printf '%s\n' "${!price[@]}" | sort); do echo "$key=${price[$key]}"; done
price[fig]=$((price[fig] * 2)); unset 'price[pear]'; echo "${#price[@]} ${price[fig]}"
list=(a b "c d" e); list+=(f); list[10]=z
echo "${#list[@]} ${list[*]:1:2} ${!list[*]}"
for item in "${list[@]}"; do printf '<%s>' "$item"; done; echo
sorted=($(printf '%s\n' 5 3 9 1 | sort -n)); echo "${sorted[@]}"
fib() { local n=$1; ((n < 2)) && { echo "$n"; return; }; echo $(( $(fib $((n-1))) + $(fib $((n-2))) )); }
echo "fib $(fib 8)"
for ((i = 0, s = 0; i < 1000; i++)); do ((s += i * i % 7)); done; echo "sum $s"
echo $((16#ff)) $((2#1010)) $((7 ** 20)) $((-7 / 2)) $((-7 % 3)) $((1 << 62)) $((5 > 3 ? 10 : 20))
echo $((9223372036854775807 + 1)) $((i++ + ++i)) $i
primes=(); for ((n = 2; n < 60; n++)); do for p in "${primes[@]}"; do ((n % p == 0)) && continue 2; done; primes+=($n); done
echo "${primes[@]}"
path=/usr/local/share/doc.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*.} ${path//a/A} ${path/share/SHARE} ${#path}"
echo "${path^^}" "${path:5:5}" "${path: -6}" "${undefined:-default}" "${undefined:+set}" "${path@Q}"
x=5; : ${y:=$((x + 1))}; echo "$y"
(echo "${nothing:?is not set}") 2>/dev/null; echo "status $?"
echo {1..5} {a..e..2} {01..10..3} x{A,B}{1,2}y
touch a1 a2 b1 'c d' .hidden; mkdir sub; touch sub/deep
echo *; echo a?; echo [ab]1; echo !(a*); echo @(a|b)1; echo none*; echo .h*
shopt -s globstar dotglob; echo **; shopt -u dotglob
case "file.tar.gz" in *.zip) echo zip;; *.tar.*) echo tar;;& *.gz) echo gz;; *) echo other;; esac
[[ "2026-11-26" =~ ^([0-9]+)-([0-9]+)-([0-9]+)$ ]] && echo "${BASH_REMATCH[@]:1}"
[[ abc < abd && -d sub && ! -e nowhere && a1 -ot sub ]]; echo "test $?"
printf '%5d|%-5s|%05.1f|%x|%q|%b|%s\n' 42 ab 3.14159 255 'a b' 'x\ty' end
printf '%(%Y-%m-%d)T\n' 86400
printf -v var '%03d' 7; echo "$var"
f() { echo "$# $*"; shift; echo "$@"; set -- new args; echo "$1"; return 11; }
f one "two three" four; echo "returned $?"
declare -i num=5; num+=3; echo $num; declare -r ro=1; (ro=2) 2>/dev/null; echo "readonly $?"
declare -n ref=num; ref=77; echo $num
outer() { local v=1; inner; echo "v $v"; }; inner() { v=2; }; outer
getopts_test() { local OPTIND=1 o; while getopts ab:c o; do echo "opt $o ${OPTARG-}"; done; shift $((OPTIND-1)); echo "rest $*"; }
getopts_test -a -b val -c x y
eval 'echo eval $((1 + 1))'; cmd=(printf '%s-' a b); "${cmd[@]}"; echo
PS3='? '; select choice in red green; do echo "chose $choice"; break; done <<<2 2>/dev/null
IFS=,; set -- a b c; echo "$*"; unset IFS
while read -r n; do ((n % 2)) && continue; echo -n "$n "; ((n >= 8)) && break; done < <(seq 20); echo
until ((x-- <= 2)); do echo -n "x$x "; done; echo
echo "$(type -t f) $(type -t cd) $(type -t if)"; echo "${BASH_SOURCE[0]##*/} $LINENO ${FUNCNAME[0]-main}"
source <(echo 'sourced() { echo "sourced $1"; }'); sourced ok
umask 027; touch private; mkdir -p d1/d2; stat -c '%a %n' private d1
chmod u=rwx,g=r,o= private; stat -c %A private; umask
set -e; (false; echo "not reached") || echo "errexit off here"
false
echo "not reached"
