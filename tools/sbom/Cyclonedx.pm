# SPDX-License-Identifier: MIT
#
# Cyclonedx.pm - a platform as a CycloneDX 1.6 document.
#
#	Cyclonedx::document($platform, %about)	a hash for JSON
#
# Files are components within the package or component that they are of. A package
# that was only needed to assemble the image has the scope "excluded".
package Cyclonedx;
use strict;
use warnings;

sub hash_of {
	my ($algorithm, $value) = @_;
	return { alg => $algorithm, content => $value };
}

sub property {
	my ($name, $value) = @_;
	return { name => "dais:$name", value => $value };
}

sub component_of {
	my ($type, $part, $ref) = @_;
	my %component = (type => $type, name => $part->{name}, version => $part->{version},
		'bom-ref' => $ref);
	$component{hashes} = [hash_of('SHA-256', $part->{sha256})] if $part->{sha256};
	$component{licenses} = [{ expression => $part->{licence}{expression} }] if $part->{licence};
	$component{purl} = $part->{purl} if $part->{purl};
	$component{description} = $part->{comment} if $part->{comment};
	$component{properties} = [property('source-package', $part->{source}),
		property('source-version', $part->{source_version})] if $part->{source};
	$component{properties} = [(map { property('source', $_) } @{ $part->{made_of} }),
		map { property('patch', $_) } @{ $part->{patches} }] if $part->{made_of};
	return \%component;
}

sub file_of {
	my ($file) = @_;
	return { type => 'file', name => "/$file->{path}", 'bom-ref' => "file:/$file->{path}",
		hashes => [hash_of('SHA-1', $file->{sha1}), hash_of('SHA-256', $file->{sha256})] };
}

sub document {
	my ($platform, %about) = @_;
	my (@components, %files, %refs);
	push @{ $files{$_->{from}} }, file_of($_) for @{ $platform->{files} };
	for my $part (@{ $platform->{packages} }, grep { $_->{files} || $_->{tool} }
	     @{ $platform->{components} }) {
		my $ref = $part->{purl} // "component:$part->{name}";
		my $component = component_of($part->{arch} ? 'library' : 'application', $part, $ref);
		$component->{scope} = $part->{files} ? 'required' : 'excluded';
		$component->{components} = $files{$part} if $files{$part};
		$refs{$ref} = 1 if $part->{files};
		push @components, $component;
	}
	for my $part (@{ $platform->{images} }) {
		my $ref = "zone-image:$part->{name}";
		my $component = component_of('container', $part, $ref);
		my @inner = map { component_of('library', $_, "$ref/$_->{purl}") } @{ $part->{packages} };
		$component->{components} = \@inner if @inner;
		$component->{scope} = 'optional';
		push @components, $component;
	}
	my $top = "platform:$about{stamp}";
	return { bomFormat => 'CycloneDX', specVersion => '1.6', version => 1,
		serialNumber => "urn:uuid:$about{uuid}",
		metadata => { timestamp => $about{created},
			tools => { components => [{ type => 'application', name => 'dais-sbom' }] },
			component => { type => 'operating-system', name => 'dais-platform',
				version => $about{stamp}, 'bom-ref' => $top } },
		components => \@components,
		dependencies => [{ ref => $top, dependsOn => [sort keys %refs] }] };
}

1;
