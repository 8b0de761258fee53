# SPDX-License-Identifier: MIT
#
# Licence.pm - what a Debian copyright file says, as an SPDX expression.
#
#	my $licence = Licence::read($text)	undef where the file is free prose
#	$licence->{expression}			"GPL-2.0-or-later AND LicenseRef-Kazlib"
#	$licence->{refs}			{ "LicenseRef-Kazlib" => { name, text } }
#
# Every licence that any file of the source has is in the expression: packages do
# not say which of them a program that was built of all files comes under. A name
# of which SPDX has none becomes a LicenseRef, with the text that the file has for it.
package Licence;
use strict;
use warnings;

my %known = (
	'expat' => 'MIT', 'mit' => 'MIT', 'mit/x11' => 'MIT', 'x11' => 'X11', 'isc' => 'ISC',
	'curl' => 'curl', 'zlib' => 'Zlib', '0bsd' => '0BSD', 'unlicense' => 'Unlicense',
	'bsd-2-clause' => 'BSD-2-Clause', 'bsd-3-clause' => 'BSD-3-Clause', 'bsd3' => 'BSD-3-Clause',
	'bsd-4-clause' => 'BSD-4-Clause', 'bsd-4-clause-uc' => 'BSD-4-Clause-UC',
	'bsd-2-clause-netbsd' => 'BSD-2-Clause', 'apache-2.0' => 'Apache-2.0',
	'apache-2' => 'Apache-2.0', 'artistic' => 'Artistic-1.0-Perl', 'cc0-1.0' => 'CC0-1.0',
	'cc0' => 'CC0-1.0', 'cc-by-sa-4.0' => 'CC-BY-SA-4.0', 'bsl-1.0' => 'BSL-1.0',
	'afl-2.1' => 'AFL-2.1', 'fsfap' => 'FSFAP', 'fsful' => 'FSFUL', 'fsfullr' => 'FSFULLR',
	'openldap-2.8' => 'OLDAP-2.8', 'oldap-2.8' => 'OLDAP-2.8', 'vim' => 'Vim',
	'beerware' => 'Beerware', 'sleepycat' => 'Sleepycat', 'mpl-2.0' => 'MPL-2.0',
	'mpl-1.1' => 'MPL-1.1', 'unicode-dfs-2016' => 'Unicode-DFS-2016', 'latex2e' => 'Latex2e',
	'mit-cmu' => 'MIT-CMU', 'edl-1' => 'BSD-3-Clause', 'psf-2' => 'PSF-2.0',
);

my $gnu = qr/^(A?GPL|LGPL|GFDL)-?v?(\d+(?:\.\d+)?)(\+|-or-later|-only)?$/i;

# One licence's name: "GPL-2+", "Expat". Empty when SPDX has no name for it.
sub identifier {
	my ($name) = @_;
	return $known{lc $name} if $known{lc $name};
	if ($name =~ $gnu) {
		my ($family, $version, $later) = (uc $1, $2, $3 // '');
		$version .= '.0' if $version !~ /\./;
		my %versions = (GPL => '1.0 2.0 3.0', LGPL => '2.0 2.1 3.0', AGPL => '1.0 3.0',
			GFDL => '1.1 1.2 1.3');
		return '' unless grep { $_ eq $version } split ' ', $versions{$family};
		return "$family-$version" . ($later =~ /^(\+|-or-later)$/i ? '-or-later' : '-only');
	}
	return '';
}

sub reference {
	my ($name, $texts, $refs) = @_;
	(my $id = $name) =~ s/\+/-or-later/g;
	$id =~ s/[^A-Za-z0-9.-]+/-/g;
	$id =~ s/^-+|-+$//g;
	$id = "LicenseRef-$id";
	$refs->{$id} = { name => $name, text => $texts->{lc $name} // '' };
	return $id;
}

# "A or B, and C": a comma binds less than all words, "or" less than "and".
sub expression {
	my ($synopsis, $texts, $refs) = @_;
	my @groups = split /,\s+(?=and\b|or\b)/i, $synopsis;
	if (@groups > 1) {
		my $out = '';
		for (@groups) {
			my $op = s/^(and|or)\s+//i ? uc $1 : '';
			my $part = expression($_, $texts, $refs);
			$part = "($part)" if $part =~ / /;
			$out = $out eq '' ? $part : "($out $op $part)";
		}
		$out =~ s/^\((.*)\)$/$1/ if @groups == 2;
		return $out;
	}
	my @any;
	for my $either (split /\s+(?:and\/)?or\s+/i, $synopsis) {
		my @all = map { identifier($_) || reference($_, $texts, $refs) }
			split /\s+and\s+/i, $either;
		push @any, @all > 1 && $synopsis =~ /\sor\s/i ? '(' . join(' AND ', @all) . ')'
			: join(' AND ', @all);
	}
	return join ' OR ', @any;
}

sub read {
	my ($text) = @_;
	return undef unless $text =~ m{\AFormat:\s*https?://\S*copyright-format/1\.0}mi;
	my (%texts, %named);
	for my $stanza (split /\n\s*\n/, $text) {
		next unless $stanza =~ /^License:[ \t]*([^\n]*)((?:\n[ \t][^\n]*)*)/mi;
		my ($name, $body) = ($1, $2);
		$name =~ s/\s+$//;
		next if $name eq '';
		$body =~ s/^[ \t]//mg;
		$body =~ s/^\.$//mg;
		$body =~ s/\A\n//;
		$texts{lc $name} = $body if $body ne '';
		$named{$name} = 1 if $stanza =~ /^Files:/mi;
	}
	return undef unless %named;
	my (%parts, %refs);
	for (sort keys %named) {
		my $part = expression($_, \%texts, \%refs);
		$parts{$_} = 1 for $part =~ / OR |\(/ ? $part : split / AND /, $part;
	}
	my @parts = map { keys %parts > 1 && / OR / ? "($_)" : $_ } sort keys %parts;
	return { expression => join(' AND ', @parts), refs => \%refs };
}

1;
