# SPDX-License-Identifier: MIT
"""TLS 1.3, and how the certificate of a daemon is verified: by a CA, a fingerprint, or the known-hosts file of rtactl."""
from __future__ import annotations

import base64
import contextlib
import datetime
import fcntl
import hashlib
import hmac
import logging
import os
import pathlib
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

from rta.address import Address
from rta.errors import CertificateRejected, InvalidArgument

_log = logging.getLogger("rta")

# Any process that may open the folder of the known hosts may lock it.
LOCK_TIMEOUT_S = 1.0


@dataclass(frozen=True)
class TlsOptions:
    """Without `ca` and `fingerprint`, the known-hosts file decides. With both, both must agree."""

    force: bool = False  # TLS on a loopback address, too
    ca: str | os.PathLike[str] | None = None
    fingerprint: str | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    known_hosts: str | os.PathLike[str] | None = None

    def wanted_for(self, address: Address) -> bool:
        wanted = self.force or any(option is not None for option in (self.ca, self.fingerprint, self.certificate))
        return not address.path and (wanted or not address.is_local)

    def context(self) -> ssl.SSLContext:
        """Returns a context for TLS 1.3. It verifies the certificate and the host only if `ca` is given; verify() does the
        rest, after the handshake."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            if self.ca is not None:
                context.load_verify_locations(cafile=os.fspath(self.ca))
            else:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(os.fspath(file) for file in (self.ca, self.certificate, self.key) if file is not None)
            raise InvalidArgument(f"cannot load certificates from {files}: {error}; expected PEM files") from error
        return context

    def verify(self, address: Address, certificate_der: bytes) -> None:
        """Checks the certificate that the handshake has proved. CertificateRejected: it is not the expected one, or has
        expired."""
        if (expiry := _expiry_of(certificate_der)) <= datetime.datetime.now(datetime.timezone.utc):
            raise CertificateRejected(f"the certificate of {address} expired on {expiry:%Y-%m-%d}; expected one that is valid")
        found = fingerprint_of(certificate_der)
        if self.fingerprint is not None:
            if not hmac.compare_digest(found.encode(), self.fingerprint.encode()):
                raise CertificateRejected(
                    f"the certificate of {address} has the fingerprint {found}; expected {self.fingerprint}")
        elif self.ca is None:
            path = pathlib.Path(self.known_hosts) if self.known_hosts is not None else default_known_hosts()
            verify_known_host(path, address, found)


def fingerprint_of(certificate_der: bytes) -> str:
    """Returns `SHA256:` and the SHA-256 of the DER certificate in base64 without padding."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(certificate_der).digest()).decode().rstrip("=")


def default_known_hosts() -> pathlib.Path:
    """Returns the known-hosts file that rtactl uses, too."""
    directory = pathlib.Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not directory.is_absolute():  # also if it is not set; the XDG specification wants a relative path to be ignored
        directory = pathlib.Path.home() / ".config"
    return directory / "rtactl" / "known_hosts"


def verify_known_host(path: pathlib.Path, address: Address, found: str) -> None:
    """Accepts and stores the fingerprint of a host that is not in the file, as ssh does; refuses a changed one."""
    host = str(address).lower()
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        known = _fingerprints(text, host) or _store(path, host, found)
    except OSError as error:
        raise CertificateRejected(f"cannot verify the certificate of {address} ({found}): {error}; give ca or fingerprint, "
                                  "or repair the known-hosts file") from error
    if found not in known.values():
        line, stored = next(iter(known.items()))
        raise CertificateRejected(
            f"the certificate of {address} HAS CHANGED: another machine may be intercepting the connection. Its fingerprint "
            f"is {found}, {path}:{line} has {stored}. If the daemon has a new certificate, remove that line")


def _store(path: pathlib.Path, host: str, found: str) -> dict[int, str]:
    """Appends a host, unless another program has stored it in the meantime. Returns the fingerprints of the host."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path.parent):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with open(descriptor, "r+", encoding="utf-8", errors="replace") as file:
            text = file.read()
            if known := _fingerprints(text, host):
                return known
            file.write(("" if not text or text.endswith("\n") else "\n") + f"{host} {found}\n")
    _log.warning("accepted the certificate of %s on first use: %s, stored in %s", host, found, path)
    return {0: found}


@contextlib.contextmanager
def _locked(folder: pathlib.Path) -> Iterator[None]:
    """Locks a folder, as rtactl does before it replaces the file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        end = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise TimeoutError(f"another program has locked {folder}") from None
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _fingerprints(text: str, host: str) -> dict[int, str]:
    """Returns the fingerprints of a host, by line number."""
    known = {}
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split()
        if len(words) >= 2 and not words[0].startswith("#") and words[0].lower() == host:
            known[number] = words[1]
    return known


def _expiry_of(certificate_der: bytes) -> datetime.datetime:
    """Returns the end of the validity of a certificate (RFC 5280, 4.1). ssl shows it only if it verifies by a CA."""
    try:
        (_, certificate), = _der_values(certificate_der)
        fields = _der_values(_der_values(certificate)[0][1])
        validity = fields[4 if fields[0][0] == _DER_VERSION else 3][1]
        tag, text = _der_values(validity)[1]
        century = "" if tag != _DER_UTC_TIME else "19" if text >= b"50" else "20"
        return datetime.datetime.strptime(f"{century}{text.decode()}+0000", "%Y%m%d%H%M%SZ%z")
    except (IndexError, ValueError) as error:
        raise CertificateRejected("the daemon has sent a certificate that cannot be read") from error


_DER_UTC_TIME, _DER_VERSION = 0x17, 0xA0


def _der_values(der: bytes) -> list[tuple[int, bytes]]:
    """Returns the values in a constructed value of DER, with their tags, all of which have one byte."""
    values = []
    while der:
        tag, size, start = der[0], der[1], 2
        if size > 0x7F:
            start += size & 0x7F
            size = int.from_bytes(der[2:start])
        values.append((tag, der[start:start + size]))
        der = der[start + size:]
    return values


def peer_certificate(transport_ssl_object: ssl.SSLObject | ssl.SSLSocket) -> bytes:
    """Returns the DER certificate of the peer."""
    with contextlib.suppress(ValueError):  # no handshake
        if certificate := transport_ssl_object.getpeercert(binary_form=True):
            return certificate
    raise CertificateRejected("the daemon has sent no certificate")
