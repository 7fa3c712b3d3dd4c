# busybox: archives, find and xargs, sort and awk, many small processes.
mkdir -p src/a/b src/c
i=0
while [ $i -lt 12 ]; do
    echo "file $i: $(expr $i \* $i)" >src/a/f$i
    i=$((i + 1))
done
seq 2000 >src/a/b/numbers
ln -s ../a/f1 src/c/link
ln src/a/f2 src/c/hard
printf '#!/bin/sh\necho "script ran: $0 $*"\n' >src/c/run.sh
chmod 755 src/c/run.sh
./src/c/run.sh one two
tar -cf all.tar src && tar -tf all.tar | sort | head -n 5
tar -czf all.tgz src && gzip -t all.tgz && echo "gzip is sound"
mkdir copy && tar -xzf all.tgz -C copy
diff -r src copy/src && echo "tar round trip"
tar -cf - src | gzip -9 | gunzip | tar -tvf - | wc -l
cat src/a/b/numbers | bzip2 | bunzip2 | cmp - src/a/b/numbers && echo "bzip2 round trip"
cat src/a/b/numbers | gzip -c | zcat | md5sum
find src | cpio -o -H newc 2>/dev/null >all.cpio; mkdir c2; (cd c2 && cpio -id <../all.cpio 2>/dev/null)
diff -r src c2/src && echo "cpio round trip"
find src -type f -name 'f*' -exec wc -c {} + | tail -n 1
find src -type f -name 'f1*' -exec sh -c 'echo "$(basename $1) $(cat $1)"' _ {} \; | sort
find src -name 'f[3-5]' -print0 | xargs -0 -n 1 basename | sort
seq 20 | xargs -n 3 echo | tail -n 2
seq 12 | xargs -P 4 -n 1 sh -c 'echo $(( $1 * $1 ))' _ | sort -n | paste -s -d ' ' -
seq 5 | xargs -I{} echo "<{}>" | tr '\n' ' '; echo
echo "a b" | xargs sh -c 'exit 3'; echo "xargs status $?"
sort -rn src/a/b/numbers | uniq | head -n 3
awk '{ s += $1; if ($1 % 2) odd++ } END { print s, odd, NR }' src/a/b/numbers
awk 'BEGIN { for (i = 0; i < 5; i++) { cmd = "echo " i * 3; cmd | getline x; close(cmd); printf "%s ", x }; print "" }'
awk 'BEGIN { print "to a pipe" | "tr a-z A-Z"; close("tr a-z A-Z"); system("exit 4"); print "done" }'
sed -n '/99$/p' src/a/b/numbers | wc -l
grep -rl 'file 1' src | sort
od -An -tx1 -N 16 src/a/b/numbers
dd if=/dev/zero bs=1k count=300 2>/dev/null | tee zeros | sha256sum
split -l 700 src/a/b/numbers part. && wc -l part.*
cut -d: -f2 src/a/f3; tr -d '0-9\n' <src/a/f3; echo
seq 100 | tail -n +98; seq 3 | tac; seq 3 | rev | nl
mkfifo p; (sleep 0.05; echo "from the fifo" >p) & cat p; wait
sh -c 'trap "echo cleanup; exit 3" TERM; kill -TERM $$; sleep 1' & wait $!; echo "status $?"
sh -c 'kill -9 $$'; echo "killed $?"
timeout 0.1 sleep 5; echo "timeout $?"
touch -d @86400 old; [ old -ot src ] && echo "older"; stat -c %Y old
umask 077; mkdir private; stat -c %a private; rm -rf copy c2 private
env -i A=1 sh -c 'echo $A ${B-unset}'; nice -n 5 true; echo $?
which sh >/dev/null && echo "sh found"; id -u >/dev/null && echo id
echo "$(pwd | grep -c /)" "$(ls | wc -l)"; du -s src >/dev/null; df . >/dev/null && echo df
start-stop-daemon --help >/dev/null 2>&1; echo "help $?"
ps -o pid,comm | grep -c '[s]h$' >/dev/null; echo "ps ok"
nohup sh -c 'echo through nohup' 2>/dev/null | cat
setsid sh -c 'echo in a session of its own'
mktemp -d /tmp/xx.XXXXXX >name; rmdir "$(cat name)" && echo "mktemp"
printf '3\n1\n2\n' | sort -o sorted && cat sorted | paste -s -d,
exit 7
