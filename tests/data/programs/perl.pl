use strict; use IO::Socket::INET; use POSIX ":sys_wait_h";
my %count; $count{$_ % 7}++ for 1 .. 1000; print join(",", map { "$_=$count{$_}" } sort keys %count), "\n";
open(my $pipe, "-|", "echo one; echo two; exit 3") or die; print "got $_" while <$pipe>; close $pipe;
print "status ", $? >> 8, "\n"; print `echo backticks`;
pipe(my $r, my $w); if (!fork) { close $r; print $w "from the child\n"; exit 4 }
close $w; print <$r>; wait; print "child ", $? >> 8, "\n";
$SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select undef, undef, undef, 5; }; print $@;
local $_ = "a1b22c333"; print join("|", /(\d+)/g), "\n"; printf "%.3f %x %s\n", 22 / 7, 255, "x" x 3;
kill "TERM", $$; sleep 5;
