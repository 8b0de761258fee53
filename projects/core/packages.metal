# What only real machines need: the full kernel and tools for disks.
unpack linux-image-amd64
ethtool
lldpd
mdadm
nvme-cli
smartmontools
