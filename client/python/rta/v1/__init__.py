# SPDX-License-Identifier: MIT
"""The messages of the protocol: `graph_pb2` and `control_pb2`, generated from the .proto files when the package is built."""
