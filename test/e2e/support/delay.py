"""Delays packets on their way through a router's network namespace, as a long line would.

Usage: delay.py DEVICE MILLISECONDS. Makes a TUN device; what is routed into it comes out of it again that much later.
Ends with its standard input.
"""
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000


def main():
    name, delay = sys.argv[1], float(sys.argv[2]) / 1000
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    # In one write: `print` makes two of it where Python's output is unbuffered.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    waiting = []
    while True:
        timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([tun, sys.stdin], [], [], timeout)
        if sys.stdin in readable and not sys.stdin.buffer.read1(1):
            return
        if tun in readable:
            waiting.append((time.monotonic() + delay, os.read(tun, 65535)))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(tun, waiting.pop(0)[1])


main()
