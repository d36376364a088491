# SPDX-License-Identifier: MIT
"""Addresses of a daemon: HOST:PORT, or the path of a Unix socket."""
from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass

from rta.errors import InvalidArgument

DEFAULT_PORT = 7340


@dataclass(frozen=True)
class Address:
    """`path` of a Unix socket, or `host` and `port`."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether it is a Unix socket or a loopback address, which need no TLS."""
        if self.path or self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name


def parse(text: str | os.PathLike[str]) -> Address:
    """Parses HOST, HOST:PORT, [IPV6], [IPV6]:PORT, an IPv6 address, or, with a /, the path of a Unix socket."""
    text = os.fspath(text)

    def refuse(what: str) -> InvalidArgument:
        return InvalidArgument(f'invalid address "{text}": {what}; expected HOST, HOST:PORT, [IPV6]:PORT or /PATH')

    if "://" in text:
        raise refuse("a URL; the option tls forces TLS")
    if "/" in text:
        return Address(path=text)

    host, port_text = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise refuse("only a port may follow ]" if bracket else "missing ]")
        port_text = rest[1:]
        if rest and not port_text:
            raise refuse("missing port")
    elif text.count(":") == 1:
        host, _, port_text = text.partition(":")
        if not port_text:
            raise refuse("missing port")
    if not host or any(c <= " " or c in "[]" for c in host):
        raise refuse("no valid host")
    if not port_text:
        return Address(host=host)
    if not (port_text.isascii() and port_text.isdigit() and 0 < int(port_text) < 65536):
        raise refuse("the port must be a number from 1 to 65535")
    return Address(host=host, port=int(port_text))


def default_addresses() -> list[Address]:
    """Returns the addresses to try if the program has named none, like rtactl: the one in RTACTL_HOST, or else those at
    which a daemon on this machine may listen."""
    if host := os.environ.get("RTACTL_HOST"):
        return [parse(host)]
    found = []
    if directory := os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]:
        found.append(Address(path=f"{directory}/control.sock"))
    if directory := os.environ.get("XDG_RUNTIME_DIR", ""):
        found.append(Address(path=f"{directory}/rtad/control.sock"))
    return [*found, Address(path="/run/rtad/control.sock"), Address(host="127.0.0.1")]
