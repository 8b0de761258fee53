# SPDX-License-Identifier: MIT
#
# Spdx.pm - a platform as an SPDX 2.3 document.
#
#	Spdx::document($platform, %about)	a hash for JSON
#
# The platform contains the image, the image its files; a file says by
# EXPANDED_FROM_ARCHIVE or GENERATED_FROM which package it is of. The packages are
# not "analysed" in SPDX's sense: of each only some files ship.
package Spdx;
use strict;
use warnings;
use Digest::SHA 'sha1_hex';

sub checksum {
	my ($algorithm, $value) = @_;
	return { algorithm => $algorithm, checksumValue => $value };
}

sub relation {
	my ($from, $type, $to) = @_;
	return { spdxElementId => $from, relationshipType => $type, relatedSpdxElement => $to };
}

sub id_of {
	my ($kind, $name) = @_;
	$name =~ s/([^A-Za-z0-9.])/sprintf '-%02x', ord $1/ge;
	return "SPDXRef-$kind-$name";
}

sub package_of {
	my ($id, $part) = @_;
	my %package = (SPDXID => $id, name => $part->{name}, versionInfo => $part->{version},
		downloadLocation => 'NOASSERTION', filesAnalyzed => JSON::PP::false,
		licenseConcluded => 'NOASSERTION', copyrightText => 'NOASSERTION',
		licenseDeclared => $part->{licence} ? $part->{licence}{expression} : 'NOASSERTION',
		supplier => 'NOASSERTION');
	$package{checksums} = [checksum(SHA256 => $part->{sha256})] if $part->{sha256};
	$package{comment} = $part->{comment} if $part->{comment};
	if ($part->{arch}) {
		$package{supplier} = 'Organization: Debian';
		$package{sourceInfo} = "built from source package $part->{source} $part->{source_version}"
			if $part->{source};
	}
	$package{sourceInfo} = join '; ', (map { "source $_" } @{ $part->{made_of} }),
		map { "patch $_" } @{ $part->{patches} } if $part->{made_of};
	$package{externalRefs} = [{ referenceCategory => 'PACKAGE-MANAGER', referenceType => 'purl',
		referenceLocator => $part->{purl} }] if $part->{purl};
	return \%package;
}

# Of all sums, sorted: what SPDX calls the verification code of the package.
sub verification_code {
	return { packageVerificationCodeValue => sha1_hex(join '', sort map { $_->{sha1} } @_) };
}

sub extracted_texts {
	my ($packages) = @_;
	my %refs = map { $_->{licence} ? %{ $_->{licence}{refs} } : () } @$packages;
	return [map { { licenseId => $_, name => $refs{$_}{name},
		extractedText => $refs{$_}{text} ne '' ? $refs{$_}{text} : $refs{$_}{name} } }
		sort keys %refs];
}

sub add_packages {
	my ($doc, $platform, $image) = @_;
	my %seen;
	my $deb = sub {
		my ($part) = @_;
		my $id = id_of('deb', "$part->{name}_$part->{version}_$part->{arch}");
		push @{ $doc->{packages} }, package_of($id, $part) unless $seen{$id}++;
		return $id;
	};
	for my $part (@{ $platform->{packages} }) {
		$part->{id} = $deb->($part);
		push @{ $doc->{relationships} }, $part->{files} ? relation($image, 'CONTAINS', $part->{id})
			: relation($part->{id}, 'BUILD_DEPENDENCY_OF', $image);
	}
	for my $part (@{ $platform->{components} }) {
		next unless $part->{files} || $part->{tool};
		$part->{id} = id_of('component', $part->{name});
		push @{ $doc->{packages} }, package_of($part->{id}, $part);
		push @{ $doc->{relationships} }, $part->{files} ? relation($image, 'CONTAINS', $part->{id})
			: relation($part->{id}, 'BUILD_TOOL_OF', $image);
	}
	for my $part (@{ $platform->{images} }) {
		my $id = id_of('zone-image', $part->{name});
		push @{ $doc->{packages} }, package_of($id, $part);
		push @{ $doc->{relationships} }, relation('SPDXRef-Platform', 'CONTAINS', $id),
			map { relation($id, 'CONTAINS', $deb->($_)) } @{ $part->{packages} };
	}
}

sub add_files {
	my ($doc, $platform, $image) = @_;
	for my $file (@{ $platform->{files} }) {
		my $id = id_of('file', $file->{path});
		push @{ $doc->{files} }, { SPDXID => $id, fileName => "./$file->{path}",
			checksums => [checksum(SHA1 => $file->{sha1}), checksum(SHA256 => $file->{sha256})],
			licenseConcluded => 'NOASSERTION', copyrightText => 'NOASSERTION' };
		push @{ $doc->{relationships} }, relation($image, 'CONTAINS', $id),
			relation($id, $file->{from}{arch} ? 'EXPANDED_FROM_ARCHIVE' : 'GENERATED_FROM',
				$file->{from}{id});
	}
}

sub document {
	my ($platform, %about) = @_;
	my ($top, $image) = ('SPDXRef-Platform', 'SPDXRef-Image');
	my %doc = (spdxVersion => 'SPDX-2.3', dataLicense => 'CC0-1.0', SPDXID => 'SPDXRef-DOCUMENT',
		name => "dais-platform-$about{stamp}",
		documentNamespace => "https://spdx.org/spdxdocs/dais-platform-$about{stamp}-$about{uuid}",
		creationInfo => { created => $about{created}, creators => ['Tool: dais-sbom'] },
		relationships => [relation('SPDXRef-DOCUMENT', 'DESCRIBES', $top),
			relation($top, 'CONTAINS', $image)]);
	my $image_package = package_of($image, { name => 'dais-image', version => $about{stamp} });
	$image_package->{filesAnalyzed} = JSON::PP::true;
	$image_package->{packageVerificationCode} = verification_code(@{ $platform->{files} });
	$doc{packages} = [package_of($top, { name => 'dais-platform', version => $about{stamp} }),
		$image_package];
	add_packages(\%doc, $platform, $image);
	add_files(\%doc, $platform, $image);
	my $texts = extracted_texts($platform->{packages});
	$doc{hasExtractedLicensingInfos} = $texts if @$texts;
	return \%doc;
}

1;
