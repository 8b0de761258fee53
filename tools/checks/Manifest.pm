# SPDX-License-Identifier: MIT
#
# Manifest - what the checks of shipped files share: a manifest, by the one grammar
# that there is. The builder judges it, and its words are passed on; what it accepts
# can be read by splitting words.
#
# environment: BUILDER (else the one that was built last)
package Manifest;
use strict;
use warnings;
use File::Basename qw(dirname);
use Cwd qw(abs_path);

sub builder {
	my $top = dirname(dirname(dirname(abs_path(__FILE__))));
	for my $b ($ENV{BUILDER}, "$top/build/bin/builder", "$top/build/dev/bin/builder") {
		return $b if defined $b && -x $b;
	}
	die "there is no builder to read the manifest by: make tools, or set BUILDER\n";
}

# What the builder has to say against FILE, empty when it is in order.
sub judge {
	my ($file) = @_;
	my $words = '';
	open(my $out, '-|', 'sh', '-c', 'exec "$0" check -l "$1" 2>&1', builder(), $file)
	    or die "cannot run the builder: $!\n";
	$words .= $_ while <$out>;
	return close($out) ? '' : $words || "$file: cannot be read\n";
}

# The entries of FILE in their order: [KIND, PATH, TARGET]. Ends with 50 when it is none.
sub read {
	my ($tool, $file) = @_;
	my $faults = -f $file ? judge($file) : "$file: not a regular file\n";
	my @entries;

	# A manifest without an entry ships nothing, which is a fault of who ships it.
	if ($faults ne '' && $faults !~ /no entr/) {
		print STDERR $faults, "$tool: could not read the manifest '$file'\n";
		exit 50;
	}
	open(my $in, '<', $file) or die "$tool: cannot open '$file': $!\n";
	while (my $line = <$in>) {
		$line =~ s/[#\r\n].*//s;
		my ($kind, $what) = split ' ', $line;
		next unless defined $what;
		my ($path, $target) = $kind =~ /[hs]/ ? split(/=/, $what, 2) : ($what, '');
		$path =~ s{/$}{};
		push @entries, [$kind, $path, $target];
	}
	return @entries;
}

1;
