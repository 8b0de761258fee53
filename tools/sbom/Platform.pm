# SPDX-License-Identifier: MIT
#
# Platform.pm - what a build shipped, gathered from what the build left.
#
#	Platform::read(%where)		one hash, that both documents are written from
#
# packages: of the lock, with source, licence and the files that they own;
# files: of the image, each with its sums and the component that it is from.
package Platform;
use strict;
use warnings;
use Digest::SHA;
use File::Temp;
use JSON::PP;
use FindBin;
use lib $FindBin::Bin;
use Licence;

sub slurp {
	my ($file) = @_;
	open my $in, '<:raw', $file or die "cannot read '$file': $!\n";
	local $/;
	return scalar <$in> // '';
}

sub output_of {
	my (@command) = @_;
	open my $in, '-|:raw', @command or die "cannot run '$command[0]': $!\n";
	local $/;
	my $text = <$in> // '';
	close $in or die "'@command' failed\n";
	return $text;
}

# The image has /lib and the like as links into /usr.
sub in_usr {
	my ($path) = @_;
	$path =~ s{^\.?/}{};
	$path =~ s{^(bin|sbin|lib|lib32|lib64|libx32)/}{usr/$1/};
	return $path;
}

# Lines of a lock: NAME VERSION ARCHITECTURE SHA256 [install|unpack].
sub read_lock {
	my ($file) = @_;
	my @packages;
	my $number = 0;
	for (split /\n/, slurp($file)) {
		$number++;
		next if /^#/ || /^\s*$/;
		my ($name, $version, $arch, $sha256, $how) = split ' ';
		die "$file:$number: not \"NAME VERSION ARCHITECTURE SHA256\"\n"
			unless defined $sha256 && $sha256 =~ /^[0-9a-f]{64}$/;
		push @packages, { name => $name, version => $version, arch => $arch,
			sha256 => $sha256, how => $how // 'install', files => 0 };
	}
	return sort { $a->{name} cmp $b->{name} } @packages;
}

# "Source: NAME (VERSION)"; without it, name and version are the package's.
sub set_source {
	my ($package, $field) = @_;
	my ($name, $version) = ($field // '') =~ /^(\S+)(?:\s+\((\S+)\))?/;
	$package->{source} = $name // $package->{name};
	$package->{source_version} = $version // $package->{version};
}

# What dpkg knows of the root that was assembled, and who owns which file.
sub read_core {
	my ($tar, $debs, $packages) = @_;
	my $dir = File::Temp->newdir;
	output_of('tar', '-C', $dir, '--no-same-owner', '-xf', $tar, '--wildcards',
		'./var/lib/dpkg/status', './var/lib/dpkg/info/*.list', './usr/share/doc/*/copyright');
	my (%owner, %source);
	for (split /\n\n/, slurp("$dir/var/lib/dpkg/status")) {
		my ($name) = /^Package: (\S+)/m;
		$source{$name} = $1 if defined $name && /^Source: (.*)$/m;
	}
	for my $package (@$packages) {
		my $name = $package->{name};
		my @paths;
		if ($package->{how} eq 'unpack') {
			my $deb = "$debs/$package->{sha256}.deb";
			$source{$name} = output_of('dpkg-deb', '-f', $deb, 'Source');
			@paths = map { /^\S+  (.*)$/ ? $1 : () }
				split /\n/, output_of('dpkg-deb', '-I', $deb, 'md5sums');
		} else {
			my ($list) = grep { -e } map { "$dir/var/lib/dpkg/info/$name$_.list" }
				'', ":$package->{arch}";
			die "'$tar' has no list of the files of '$name'\n" unless $list;
			@paths = split /\n/, slurp($list);
		}
		set_source($package, $source{$name});
		$owner{in_usr($_)} = $package for @paths;
		my $copyright = "$dir/usr/share/doc/$name/copyright";
		$package->{licence} = Licence::read(slurp($copyright)) if -f $copyright && !-l $copyright;
	}
	return \%owner;
}

# A tar archive of the builder: regular files and hard links, with their SHA-1. What a file
# of a SHA-256 had the last time it has still: those are not read again.
sub sha1_of_archive {
	my ($tar, $sums, $known) = @_;
	open my $in, '<:raw', $tar or die "cannot read '$tar': $!\n";
	my (%sha1, $header, $long);
	while (read($in, $header, 512) == 512) {
		my ($name, $size, $type, $link, $prefix) = unpack 'Z100 x24 A12 x20 a1 Z100 x88 Z155', $header;
		last if $header !~ /[^\0]/;
		$size = oct $size;
		$name = "$prefix/$name" if $prefix ne '';
		my $padded = ($size + 511) & ~511;
		if ($type eq 'x') {
			read $in, (my $records), $padded;
			($long->{path}) = $records =~ /^\d+ path=(.*)$/m;
			($long->{link}) = $records =~ /^\d+ linkpath=(.*)$/m;
			next;
		}
		$name = $long->{path} // $name;
		$link = $long->{link} // $link;
		$long = undef;
		s{^\./}{} for $name, $link;
		if ($type eq '0' && $sums->{$name} && $known->{$sums->{$name}}) {
			$sha1{$name} = $known->{$sums->{$name}};
			seek $in, $padded, 1;
		} elsif ($type eq '0') {
			my $sha = Digest::SHA->new(1);
			my ($left, $data) = ($size, undef);
			while ($left > 0) {
				my $n = read $in, $data, $left < 1 << 20 ? $left : 1 << 20;
				die "'$tar' ends within '$name'\n" unless $n;
				$sha->add($data);
				$left -= $n;
			}
			$sha1{$name} = $sha->hexdigest;
			seek $in, $padded - $size, 1;
		} else {
			$sha1{$name} = $sha1{$link} if $type eq '1';
			seek $in, $padded, 1;
		}
	}
	return \%sha1;
}

# "SHA256  ./PATH", as sha256sum writes it.
sub read_sums {
	my ($file) = @_;
	my %sums;
	for (split /\n/, slurp($file)) {
		my ($escaped, $sha256, $path) = m{^(\\?)([0-9a-f]{64})  \./(.*)$}
			or die "$file: not a line of sha256sum: $_\n";
		$path =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/ge if $escaped;
		$sums{$path} = $sha256;
	}
	return \%sums;
}

sub sha256_of_file {
	my ($file) = @_;
	return Digest::SHA->new(256)->addfile($file, 'b')->hexdigest;
}

# Lines "SHA256 SHA1" of the last time; one that was cut short counts for nothing.
sub read_known {
	my ($file) = @_;
	my $text = -e $file ? slurp($file) : '';
	return { map { /^([0-9a-f]{64}) ([0-9a-f]{40})$/ } split /\n/, $text };
}

sub keep_known {
	my ($file, $sums, $sha1) = @_;
	my %known = map { $sums->{$_} => $sha1->{$_} } grep { $sha1->{$_} } keys %$sums;
	open my $out, '>', "$file.new" or die "cannot write '$file.new': $!\n";
	print {$out} map { "$_ $known{$_}\n" } sort keys %known;
	close $out or die "cannot write '$file.new': $!\n";
	rename "$file.new", $file or die "cannot rename '$file.new': $!\n";
}

# Who a file of the image is from: the first folder of the search path that has it.
sub component_of {
	my ($path, $where, $owner) = @_;
	for my $part (@{ $where->{parts} }) {
		return $part->{component} if -e "$part->{dir}/$path" || -l "$part->{dir}/$path";
	}
	return $owner->{$path} // $where->{scripts};
}

sub read {
	my (%where) = @_;
	my @packages = read_lock("$where{build}/core/lock");
	my $owner = read_core("$where{build}/core/root.tar", "$where{cache}/debs", \@packages);
	my $sums = read_sums("$where{build}/image/manifest.sums");
	my $sha1 = sha1_of_archive("$where{build}/image/root.tar", $sums,
		read_known("$where{build}/image/sha1"));
	my $list = "usr/share/dais/manifest";
	$sums->{$list} //= sha256_of_file("$where{build}/image/manifest.sums");
	keep_known("$where{build}/image/sha1", $sums, $sha1);
	my @files;
	for my $path (sort keys %$sums) {
		die "'$path' is in the list of sums, and not in the archive\n" unless $sha1->{$path};
		my $from = component_of($path, \%where, $owner);
		$from->{files}++;
		push @files, { path => $path, sha1 => $sha1->{$path}, sha256 => $sums->{$path},
			from => $from };
	}
	for my $path (sort keys %$sha1) {
		die "'$path' is in the archive, and not in the list of sums\n" unless $sums->{$path};
	}
	return { packages => \@packages, files => \@files, images => [read_images("$where{build}/images")] };
}

# The zone images that come with the platform, and what each was made of.
sub read_images {
	my ($dir) = @_;
	my @images;
	for my $file (sort glob "$dir/*.json") {
		(my $base = $file) =~ s/\.json$//;
		my $manifest = decode_json(slurp($file));
		push @images, { name => $manifest->{name}, version => $manifest->{version},
			uuid => $manifest->{uuid}, sha1 => $manifest->{files}[0]{sha1},
			sha256 => sha256_of_file("$base.tar.zst"),
			packages => -e "$base.packages" ? [read_lock("$base.packages")] : [] };
	}
	return @images;
}

1;
