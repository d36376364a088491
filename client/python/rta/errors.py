# SPDX-License-Identifier: MIT
"""The errors of the library: one class for each code of the protocol, and subclasses for those that arise here."""
from __future__ import annotations

from google.protobuf.message import Message

from rta.v1 import control_pb2 as pb


class Error(Exception):
    """A request was rejected, or failed.

    `code` is the number of the code in control.proto, `sentence` says what was rejected, why, and what would be accepted.
    `edit_index` is the index, from 0, of the rejected edit or change, if the daemon has given one. `result` is the result
    that some DEADLINE_EXCEEDED responses have: the change is committed, but was not heard in time. `conflict` is what the
    guard of a request has found, if it does not hold (Aborted).
    """

    code: int = pb.OK

    def __init__(self, sentence: str, *, code: int | None = None, edit_index: int | None = None,
                 result: Message | None = None, conflict: pb.Conflict | None = None) -> None:
        super().__init__(sentence)
        if code is not None:
            self.code = code
        self.sentence = sentence
        self.edit_index = edit_index
        self.result = result
        self.conflict = conflict

    @property
    def code_name(self) -> str:
        """The name of the code, such as NOT_FOUND; the number of a code that this version does not know."""
        return str(pb.Code.Name(self.code)) if self.code in pb.Code.values() else str(self.code)

    def __str__(self) -> str:
        at = "" if self.edit_index is None else f" (edit {self.edit_index})"
        return f"{self.code_name}: {self.sentence}{at}"


class InvalidArgument(Error):
    code = pb.INVALID_ARGUMENT


class DeadlineExceeded(Error):
    """No response in time, or, with a `result`: committed, but not heard in time.

    Without a result, the request may have taken effect or not, or may take effect later.
    """

    code = pb.DEADLINE_EXCEEDED


class NotFound(Error):
    code = pb.NOT_FOUND


class AlreadyExists(Error):
    code = pb.ALREADY_EXISTS


class PermissionDenied(Error):
    code = pb.PERMISSION_DENIED


class ResourceExhausted(Error):
    code = pb.RESOURCE_EXHAUSTED


class FailedPrecondition(Error):
    code = pb.FAILED_PRECONDITION


class Aborted(Error):
    code = pb.ABORTED


class Unimplemented(Error):
    code = pb.UNIMPLEMENTED


class Internal(Error):
    code = pb.INTERNAL


class Unavailable(Error):
    code = pb.UNAVAILABLE


class Unauthenticated(Error):
    code = pb.UNAUTHENTICATED


class CannotConnect(Unavailable):
    """No daemon accepted the connection."""


class Disconnected(Unavailable):
    """The connection was lost, or closed. A request without a response may have taken effect or not."""


class ProtocolError(Internal):
    """The peer sent something that is not a message of the protocol, or an OK response without its result."""


class EventsLost(ResourceExhausted):
    """A subscription has ended because its queue of changes was full: the program reads them too slowly."""


class CertificateRejected(Unauthenticated):
    """The daemon's certificate is not the expected one. No token has been sent to it."""


_BY_CODE: dict[int, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def from_status(status: pb.Status, result: Message | None = None) -> Error:
    """Returns the error for a status that is not OK."""
    edit_index = status.edit_index if status.HasField("edit_index") else None
    conflict = status.conflict if status.HasField("conflict") else None
    return _BY_CODE.get(status.code, Error)(status.message, code=status.code, edit_index=edit_index, result=result,
                                            conflict=conflict)
