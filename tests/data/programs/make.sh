printf 'all: a b c\n\tcat a b c >$@\n\tcat $@\n%%:\n\t@echo making $@; echo $@ >$@\n' >Makefile
make -j 3 -O 2>&1 | sort; make; make nothing/there; echo $?
