# SPDX-License-Identifier: MIT
"""Sends every example of docs/protocol.md to a daemon, in order, and compares the responses and events.

    protocol_doc_test.py RTAD PROTO_DIR DOCUMENT

Fenced blocks, each followed by the name of a connection (default: `editor`), which is opened at its first use:
    ```request       is sent
    ```bytes         hexadecimal; sent as raw bytes
    ```response      must be the next response
    ```event         must be the next event
    ```closed        the daemon must have closed the connection
In requests, "rtad_..." stands for the access token, and "code:..." for the one-time code, that was created last.
In what is compared, `...` matches any value, all other fields of an object, or all further items of a list.
A comment `<!-- test: WORD ARGUMENT -->` sets up a situation: see Runner.situation_*.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 60
# Reserved code: INTERNAL would be a bug.
RESERVED_CODES = {"INTERNAL"}
ANY = object()


class Failure(Exception):
    pass


# ---- the document ----------------------------------------------------------------------------------------------------

class Step:
    def __init__(self, line, word, argument, text):
        self.line, self.word, self.argument, self.text = line, word, argument, text


def steps_of(path):
    steps, fence, text = [], None, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if fence is None:
            comment = re.fullmatch(r"<!-- test: (\w+) ?(.*) -->", line)
            opened = re.fullmatch(r"```(\w+) ?(\w*)", line)
            if comment:
                steps.append(Step(number, "situation_" + comment[1], comment[2], ""))
            elif opened:
                fence, text = (number, opened[1], opened[2] or "editor"), []
            elif line.startswith("```"):
                raise Failure(f"line {number}: {line} is no fence that this test knows")
        elif line == "```":
            steps.append(Step(*fence, "\n".join(text)))
            fence = None
        else:
            text.append(line)
    return steps


def with_wildcards(text):
    """Parses JSON in which ... may replace a value, fields, or items. Returns Python objects."""
    out, brackets, last = [], [], ""
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|\.\.\.|[^"\s]|\s+', text):
        if token in "{[":
            brackets.append(token)
        elif token in "}]":
            brackets.pop()
        if token == "...":
            token = '"\\u0000any"'
            if last != ":" and brackets and brackets[-1] == "{":
                token += ": 0"
        if token.strip():
            last = token
        out.append(token)

    def mark(value):
        if value == "\0any":
            return ANY
        if isinstance(value, dict):
            return {(ANY if key == "\0any" else key): mark(item) for key, item in value.items()}
        if isinstance(value, list):
            return [mark(item) for item in value]
        return value
    return mark(json.loads("".join(out)))


def difference(expected, actual, where=""):
    """Returns None, or where and how the two differ."""
    if expected is ANY:
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key is ANY:
                continue
            if key not in actual:
                # proto3 omits default values.
                if value is ANY or value in ("OK", 0, "0", False, "", []):
                    continue
                return f"{where}.{key} is missing"
            found = difference(value, actual[key], f"{where}.{key}")
            if found:
                return found
        extra = set(actual) - set(expected)
        return None if ANY in expected or not extra else f"{where} has also {sorted(extra)}"
    if isinstance(expected, list) and isinstance(actual, list):
        open_ended = bool(expected) and expected[-1] is ANY
        wanted = expected[:-1] if open_ended else expected
        if len(actual) < len(wanted) or (len(actual) > len(wanted) and not open_ended):
            return f"{where} has {len(actual)} items"
        for i, (left, right) in enumerate(zip(wanted, actual)):
            found = difference(left, right, f"{where}[{i}]")
            if found:
                return found
        return None
    return None if expected == actual else f"{where} is {actual!r}, not {expected!r}"


class Shown:
    """Records the parts of the protocol that the document has shown."""

    def __init__(self):
        self.messages, self.fields, self.codes = set(), set(), set()

    def add(self, value, descriptor):
        self.messages.add(descriptor.name)
        if not isinstance(value, dict) or not descriptor.full_name.startswith("rta.v1."):
            return
        for key, item in value.items():
            if key is ANY:
                continue
            field = descriptor.fields_by_name[key]
            self.fields.add(f"{descriptor.name}.{key}")
            if field.enum_type is not None and field.enum_type.name == "Code":
                self.codes.add(item)
            if field.message_type is None or field.message_type.GetOptions().map_entry:
                continue
            for one in item if isinstance(item, list) else [item]:
                if one is not ANY:
                    self.add(one, field.message_type)

    def missing(self, pb, graph_pb):
        messages = set(pb.DESCRIPTOR.message_types_by_name) | set(graph_pb.DESCRIPTOR.message_types_by_name)
        fields = {f"{message}.{field.name}" for message, oneof in
                  [("Request", "request"), ("Response", "result"), ("Event", "event"), ("Edit", "edit")]
                  for field in pb.DESCRIPTOR.message_types_by_name[message].oneofs_by_name[oneof].fields}
        codes = set(pb.Code.keys())
        if self.codes & RESERVED_CODES:
            raise Failure(f"these codes are said to be reserved, and are shown: {self.codes & RESERVED_CODES}")
        return ((messages | fields) - self.messages - self.fields - {"ServerMessage"}) | \
            (codes - self.codes - RESERVED_CODES)


# ---- the daemon ------------------------------------------------------------------------------------------------------

class Connection:
    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(PATIENCE_S)
        self.buffer, self.responses, self.events, self.ended = b"", [], [], False

    def send(self, payload):
        self.socket.sendall(varint(len(payload)) + payload)

    def next(self, queue, pb):
        while not queue:
            if not self.receive(pb):
                raise Failure("the daemon closed the connection")
        return queue.pop(0)

    def receive(self, pb):
        size = pb_size(self.buffer)
        while size is None or len(self.buffer) < sum(size):
            received = self.socket.recv(65536)
            if not received:
                return False
            self.buffer += received
            size = pb_size(self.buffer)
        message = pb.ServerMessage.FromString(self.buffer[size[1]:sum(size)])
        self.buffer = self.buffer[sum(size):]
        if message.HasField("event"):
            self.events.append(message.event)
        else:
            self.responses.append(message.response)
        return True


def varint(number):
    encoded = b""
    while number > 0x7F:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def pb_size(data):
    """Returns the value of a leading varint and its length in bytes; None if it is incomplete."""
    number = 0
    for i, byte in enumerate(data[:10]):
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, i + 1
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    def __init__(self, stack, rtad, device, environment=None, arguments=()):
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        self.port = free_port()
        self.path = f"{directory}/control.sock"
        self.process = subprocess.Popen(
            [rtad, "--device", device, "--socket", self.path, "--listen", f"127.0.0.1:{self.port}",
             "--tokens", f"{directory}/tokens", *arguments],
            env=dict(os.environ, **(environment or {})))
        stack.callback(self.stop)
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.01)
        raise Failure("rtad does not start")

    def connect(self):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(self.path)
        return Connection(connected)

    def stop(self):
        self.process.terminate()
        if self.process.wait(PATIENCE_S) != 0:
            raise Failure(f"rtad ended with status {self.process.returncode}")


class Jack:
    """A JACK server without a sound card, with a unique name."""

    def __init__(self, stack):
        for number in range(4):
            name = f"rta_test_{os.getuid()}_{number}"
            lock = stack.enter_context(open(pathlib.Path(tempfile.gettempdir()) / f"{name}.lock", "w"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        else:
            raise Failure("all JACK servers of the tests are in use")
        self.environment = {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
        self.stack, self.name = stack, name
        self.start()

    def start(self):
        # Long periods: a busy machine must not look like a device that stalls.
        self.process = subprocess.Popen(
            ["jackd", "-n", self.name, "--no-realtime", "-t", "5000", "-S", "-d", "dummy", "-r", "48000", "-p", "2048"],
            env=dict(os.environ, **self.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.stack.callback(self.process.kill)
        subprocess.run(["jack_wait", "-s", self.name, "-w", "-t", "20"], check=True,
                       env=dict(os.environ, **self.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Runner:
    def __init__(self, stack, rtad, pb, json_format):
        self.stack, self.rtad, self.pb, self.json_format = stack, rtad, pb, json_format
        self.daemon = Daemon(stack, rtad, "null")
        self.connections, self.shown, self.jack, self.token, self.code = {}, Shown(), None, None, None

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = self.daemon.connect()
        return self.connections[name]

    def run(self, step):
        getattr(self, step.word)(step)

    def json(self, step):
        """Not sent: a readable form of the previous bytes."""

    def request(self, step):
        text = step.text.replace("rtad_...", self.token or "rtad_...").replace("code:...", f"code:{self.code}")
        value = json.loads(text)
        self.shown.add(value, self.pb.Request.DESCRIPTOR)
        message = self.json_format.ParseDict(value, self.pb.Request())
        self.connection(step.argument).send(message.SerializeToString())

    def bytes(self, step):
        self.connection(step.argument).socket.sendall(bytes.fromhex(step.text))

    def response(self, step):
        connection = self.connection(step.argument)
        response = connection.next(connection.responses, self.pb)
        self.token = response.create_token.token or self.token
        self.code = response.create_code.code or self.code
        self.compare(step, response, self.pb.Response.DESCRIPTOR)

    def event(self, step):
        connection = self.connection(step.argument)
        self.compare(step, connection.next(connection.events, self.pb), self.pb.Event.DESCRIPTOR)

    def closed(self, step):
        connection = self.connection(step.argument)
        with contextlib.suppress(ConnectionResetError):
            if connection.receive(self.pb):
                raise Failure("the daemon has more to say")
        connection.socket.close()
        del self.connections[step.argument]

    def compare(self, step, message, descriptor):
        expected = with_wildcards(step.text)
        actual = self.json_format.MessageToDict(message, preserving_proto_field_name=True)
        found = difference(expected, actual)
        if found:
            raise Failure(f"{found}\nexpected: {step.text}\nactual: {json.dumps(actual)}")
        self.shown.add(expected, descriptor)

    def situation_connect(self, step):
        """Opens a connection without sending anything."""
        self.connection(step.argument)

    def situation_impatient(self, step):
        """Opens a connection to another daemon, which disconnects idle clients."""
        daemon = Daemon(self.stack, self.rtad, "null", arguments=["--idle-timeout", "200ms"])
        self.connections[step.argument] = daemon.connect()

    def situation_crowd(self, _):
        """Opens connections until the daemon refuses one. They subscribe, so that they are not disconnected as idle."""
        self.crowd = []
        while True:
            client = self.daemon.connect()
            client.send(self.pb.Request(hello=self.pb.Hello(protocol_version=1)).SerializeToString())
            if client.next(client.responses, self.pb).status.code != self.pb.OK:
                client.socket.close()
                return
            client.send(self.pb.Request(subscribe=self.pb.Subscribe(topics=[self.pb.TOPIC_CHANGES])).SerializeToString())
            client.next(client.responses, self.pb)
            self.crowd.append(client)
    def situation_tcp(self, step):
        """Opens a connection over TCP; all others use the Unix socket."""
        self.connections[step.argument] = Connection(socket.create_connection(("127.0.0.1", self.daemon.port)))

    def situation_disperse(self, _):
        for client in self.crowd:
            client.socket.close()

    def situation_stall(self, _):
        """Stops the daemon for a moment, so that it misses many callbacks."""
        self.daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        self.daemon.process.send_signal(signal.SIGCONT)

    def situation_jack(self, _):
        """Starts another daemon, on a sound server."""
        for connection in self.connections.values():
            connection.socket.close()
        self.connections = {}
        self.jack = Jack(self.stack)
        self.daemon = Daemon(self.stack, self.rtad, "jack", self.jack.environment)

    def situation_lose(self, _):
        self.jack.process.kill()
        self.jack.process.wait()

    def situation_restart(self, _):
        self.jack.start()


def main(rtad, proto_directory, document):
    with contextlib.ExitStack() as stack:
        generated = stack.enter_context(tempfile.TemporaryDirectory())
        subprocess.run(["protoc", "-I", proto_directory, f"--python_out={generated}", "rta/v1/graph.proto",
                        "rta/v1/control.proto"], check=True)
        sys.path.insert(0, generated)
        from google.protobuf import json_format
        from rta.v1 import control_pb2, graph_pb2
        runner = Runner(stack, rtad, control_pb2, json_format)
        steps = steps_of(pathlib.Path(document))
        for step in steps:
            try:
                runner.run(step)
            except (Failure, AttributeError, ValueError, OSError, json_format.ParseError) as fault:
                sys.exit(f"{document}:{step.line}: {step.word} {step.argument}: {fault}")
        for name, connection in runner.connections.items():
            if connection.responses:
                sys.exit(f"{document}: connection {name} has answers that are not shown: {connection.responses}")
        missing = runner.shown.missing(control_pb2, graph_pb2)
        if missing:
            sys.exit(f"{document} does not show: {', '.join(sorted(missing))}")
        print(f"{len(steps)} examples, {len(runner.shown.messages)} messages, {len(runner.shown.codes)} codes")


if __name__ == "__main__":
    main(*sys.argv[1:])
