# A Debian root file system, as debootstrap's kin make it: one layer.
FROM scratch
ADD root.tar /
CMD ["bash"]
