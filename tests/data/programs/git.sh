git init -q -b main repo && cd repo
git config user.name Name && git config user.email name@example.org
for i in 1 2 3; do echo "line $i" >>file; git add file; git commit -qm "Commit $i"; done
git log --format='%h %s' ; git checkout -qb side HEAD~1; echo other >another; git add .
git commit -qm Side; git merge -q -m Merge main; git log --graph --format=%s
git diff HEAD~1 --stat; git rev-parse HEAD; git fsck 2>/dev/null; git gc -q; git status --short
git clone -q . ../clone; git -C ../clone log --oneline | wc -l; git grep -n line; git blame -s file
git bisect start HEAD HEAD~2 >/dev/null; git stash list; git archive HEAD | tar -tf -
