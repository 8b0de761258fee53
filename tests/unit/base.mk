$(call unit, test_fileio, base, -Wl$(comma)--wrap=renameat)
