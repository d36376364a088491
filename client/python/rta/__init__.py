# SPDX-License-Identifier: MIT
"""Client library of rtad, a real-time audio engine.

    async with rta.connect("127.0.0.1:7340") as client:
        async with client.transaction() as t:
            t.add("sine", "osc", frequency_hz=440)
            t.add("output", "out", channels=2)
            t.connect("osc", "out")
        await client.set({"osc.gain_db": -12})

rta.sync has the same without asyncio. docs/integration.md in the sources of rtad has complete programs.
"""
from rta import sync
from rta.client import Client, connect
from rta.errors import (Aborted, AlreadyExists, CannotConnect, CertificateRejected, DeadlineExceeded, Disconnected, Error,
                        EventsLost, FailedPrecondition, Internal, InvalidArgument, NotFound, PermissionDenied, ProtocolError,
                        ResourceExhausted, Unauthenticated, Unavailable, Unimplemented)
from rta.graph import Graph, Node
from rta.mirror import Mirror
from rta.subscription import Subscription, Topic
from rta.transaction import Edits, Transaction
from rta.v1.control_pb2 import Conflict, Event, Guard, Levels, PortLevels, Request, Response

__all__ = [
    "Aborted", "AlreadyExists", "CannotConnect", "CertificateRejected", "Client", "Conflict", "DeadlineExceeded",
    "Disconnected", "Edits", "Error", "Event", "EventsLost", "FailedPrecondition", "Graph", "Guard", "Internal", "InvalidArgument",
    "Levels", "Mirror", "Node", "NotFound", "PermissionDenied", "PortLevels", "ProtocolError", "Request", "ResourceExhausted",
    "Response", "Subscription", "Topic", "Transaction", "Unauthenticated", "Unavailable", "Unimplemented", "connect", "sync",
]
