"""`make test-machines`: the demo and the suite on clean Debian machines. Standard library only, run as root.

A machine is a minimal Debian root in namespaces of its own, so that the kernel ends its processes and takes its mounts
away when this program ends, however it ends.
"""
