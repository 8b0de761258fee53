$(call library, manifest, manifest.c manifest_file.c manifest_requirements.c manifest_rules.c manifest_values.c, digest base)
