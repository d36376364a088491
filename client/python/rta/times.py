# SPDX-License-Identifier: MIT
"""Times of scheduled changes."""
from __future__ import annotations

import datetime

from rta.errors import InvalidArgument
from rta.v1 import control_pb2 as pb

# A frame of the engine's sample clock, a time from now, or a time of day.
Time = int | datetime.timedelta | datetime.datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def when(time: Time) -> pb.When:
    """Returns the message for a time."""
    if isinstance(time, datetime.timedelta):
        return pb.When(in_s=time.total_seconds())
    if isinstance(time, datetime.datetime):
        if time.tzinfo is None:
            raise InvalidArgument("a datetime without a time zone: expected one with tzinfo, such as "
                                  "datetime.now(timezone.utc)")
        return pb.When(utc_us=(time - _EPOCH) // datetime.timedelta(microseconds=1))
    if isinstance(time, int) and not isinstance(time, bool) and 0 <= time < 2**64:
        return pb.When(frame=time)
    raise InvalidArgument(f"invalid time {time!r}: expected a frame, a timedelta or a datetime with a time zone")
