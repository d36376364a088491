# SPDX-License-Identifier: MIT
"""The file of an access token, as rtactl reads it."""
from __future__ import annotations

import os
import re
import stat

from rta.errors import InvalidArgument

_TOKEN = re.compile(r"rtad_[A-Za-z0-9_-]{43}")
_OTHERS = 0o077


def default_token() -> str | None:
    """Returns the token in the file RTACTL_TOKEN_FILE; None if the variable is not set."""
    path = os.environ.get("RTACTL_TOKEN_FILE")
    return read_token(path) if path else None


def read_token(path: str) -> str:
    """Returns the token in a file of one line. Refuses a file of this user that other users may access, as ssh does with its
    keys. No error contains what the file contains."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and status.st_mode & _OTHERS:
                raise InvalidArgument(f'other users may access the token file "{path}": expected mode 0600; see chmod(1)')
            token = file.read(4096).strip()
    except OSError as error:
        raise InvalidArgument(f'cannot read the token file "{path}": {error.strerror}') from error
    if not _TOKEN.fullmatch(token):
        raise InvalidArgument(f'no access token in "{path}": expected one line as `rtactl token new` prints it, rtad_ and 43 '
                              "characters")
    return token
