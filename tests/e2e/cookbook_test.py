# SPDX-License-Identifier: MIT
"""Extracts the graphs from docs/cookbook.md, renders them, and measures every row of their tables.

    cookbook_test.py BUILD_BIN DOCUMENT

A section may show one document, fenced as ```json FILE. It then has one table with the rows
`| what | value | within |`. The patterns of `measures` match the first column of a row and select the measurement. A
row that no pattern matches is an error, and so is a pattern that matches no row. Measurements do not use the value
stated on the page.
"""
import array
import cmath
import copy
import json
import math
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

RATE_HZ = 48_000
# Below the thresholds of all nodes in these graphs, and far enough above the rounding errors (-150 dB).
PROBE = 1e-3
# Position of probes: some time after the start, and not a multiple of the block size.
PROBE_FRAME = 1_003
RESPONSE_FRAMES = 8_192
BYPASSABLE = {"biquad_filter", "compressor", "delay_line", "equalizer", "gain", "gate", "limiter", "reverb", "soft_clip"}


class Failure(Exception):
    pass


# ---- the page --------------------------------------------------------------------------------------------------------

class Row:
    def __init__(self, line, what, value, within):
        self.line, self.what = line, what
        self.value, self.unit = self.quantity(value)
        self.tolerance, unit = self.quantity(within)
        if unit != self.unit or self.tolerance <= 0:
            raise Failure(f"line {line}: {within} is no tolerance of {value}")

    def quantity(self, text):
        parts = re.fullmatch(r"(-?\d+(?:\.\d+)?) (dB|Hz|ms|s)", text)
        if not parts:
            raise Failure(f"line {self.line}: {text!r} is no number with a unit")
        return float(parts[1]), parts[2]


class Recipe:
    def __init__(self, line, file, text, rows):
        self.line, self.file, self.text, self.rows = line, file, text, rows


def recipes_of(text):
    """Returns a recipe for each section with a document. Rejects anything that looks like a document or a row but is
    not one."""
    recipes, heading, file, document, rows, fence = [], 1, None, [], [], False

    def close():
        if bool(file) != bool(rows):
            raise Failure(f"section of line {heading}: a document needs a table, and a table a document")
        if file:
            recipes.append(Recipe(heading, file, "\n".join(document), rows))

    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = line != "```"
            if fence:
                document.append(line)
        elif line.startswith("```"):
            opened = re.fullmatch(r"```json ([\w-]+\.json)", line)
            if not opened or file:
                raise Failure(f"line {number}: {line} is not the section's one ```json FILE")
            file, fence = opened[1], True
        elif line.startswith("#"):
            close()
            heading, file, document, rows = number, None, [], []
        elif line.startswith("|") and line not in ("| what | value | within |", "|---|---|---|"):
            columns = [column.strip() for column in line.strip("|").split("|")]
            if len(columns) != 3:
                raise Failure(f"line {number}: a row has what, value, within")
            rows.append(Row(number, *columns))
    close()
    return recipes


# ---- signals ---------------------------------------------------------------------------------------------------------

def silence(seconds):
    return [0.0] * round(seconds * RATE_HZ)


def tone(frequency_hz, level_db, seconds):
    step, peak = 2 * math.pi * frequency_hz / RATE_HZ, gain(level_db)
    return [peak * math.sin(step * n) for n in range(round(seconds * RATE_HZ))]


def probe(seconds=0.5):
    """Returns an impulse."""
    samples = silence(seconds)
    samples[PROBE_FRAME] = PROBE
    return samples


def gain(db):
    return 10 ** (db / 20)


def db_of(factor):
    return 20 * math.log10(max(abs(factor), 1e-15))


def seconds_of(samples, begin, end):
    return samples[round(begin * RATE_HZ):round(end * RATE_HZ)]


def phasor(samples, frequency_hz):
    """Returns peak level, as a factor, and phase of a tone. Exact over whole cycles of all tones in the signal."""
    turn = cmath.exp(-2j * math.pi * frequency_hz / RATE_HZ)
    # Horner's scheme, from the last sample to the first.
    total = 0j
    for sample in reversed(samples):
        total = total * turn + sample
    return 2 * total / len(samples)


def level_db(samples, frequency_hz):
    return db_of(phasor(samples, frequency_hz))


def rms(samples):
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def response(impulse_response, frequency_hz):
    return phasor(impulse_response, frequency_hz) * len(impulse_response) / 2


def spectrum(samples):
    """Returns the discrete Fourier transform. The number of samples must be a power of two."""
    if len(samples) == 1:
        return samples
    even, odd = spectrum(samples[::2]), spectrum(samples[1::2])
    half = len(even)
    turned = [cmath.exp(-1j * math.pi * k / half) * odd[k] for k in range(half)]
    return [even[k] + turned[k] for k in range(half)] + [even[k] - turned[k] for k in range(half)]


def delay_behind_ms(late, early):
    """Returns the delay between two impulse responses that differ by a delay and a real factor: the slope of the
    phase."""
    low_hz, high_hz = 900, 1_100
    turned = [response(late, hz) / response(early, hz) for hz in (low_hz, high_hz)]
    return -cmath.phase(turned[1] / turned[0]) / (2 * math.pi * (high_hz - low_hz)) * 1_000


def boundary(is_above, low, high):
    """Returns the boundary between low and high at which is_above becomes true. It must be false at low and true at
    high."""
    if is_above(low) or not is_above(high):
        raise Failure(f"nothing changes between {low} and {high}")
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return (low + high) / 2


def highest_at(samples, begin):
    """Returns the frame of the highest peak from `begin` on."""
    return max(range(begin, len(samples)), key=lambda n: abs(samples[n]))


# ---- rendering -------------------------------------------------------------------------------------------------------

def write_wav(path, channels):
    width = len(channels)
    samples = array.array("f", bytes(4 * width * len(channels[0])))
    for i, channel in enumerate(channels):
        samples[i::width] = array.array("f", channel)
    data = samples.tobytes()
    path.write_bytes(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
                     + struct.pack("<IHHIIHH", 16, 3, width, RATE_HZ, 4 * width * RATE_HZ, 4 * width, 32)
                     + b"data" + struct.pack("<I", len(data)) + data)


def read_wav(path):
    """Returns the channels of a file with 32-bit float samples."""
    content, at, width = path.read_bytes(), 12, None
    while True:
        name, size = struct.unpack_from("<4sI", content, at)
        at += 8
        if name == b"fmt ":
            form, width, _, _, _, bits = struct.unpack_from("<HHIIHH", content, at)
            if (form, bits) != (3, 32):
                raise Failure(f"{path}: not 32-bit float")
        elif name == b"data":
            samples = array.array("f", content[at:at + size])
            return [samples[i::width].tolist() for i in range(width)]
        at += size + size % 2


class Document:
    """A graph of the page. Creates variants of it."""

    def __init__(self, graph, rtad, folder):
        self.graph, self.rtad, self.folder = graph, rtad, folder

    def node(self, name):
        for node in self.graph["nodes"]:
            if node["name"] == name:
                return node
        raise Failure(f"there is no node {name}")

    def with_values(self, **values):
        """Returns a variant with parameters set as by `rtactl set`: node__parameter=value."""
        variant = Document(copy.deepcopy(self.graph), self.rtad, self.folder)
        for key, value in values.items():
            name, parameter = key.split("__")
            variant.node(name).setdefault("parameters", {})[parameter] = value
        return variant

    def only(self, *active, **values):
        """Returns a variant in which all nodes except the given ones are bypassed."""
        for name in active:
            self.node(name)
        return self.with_values(**values, **{f"{node['name']}__bypass": 1 for node in self.graph["nodes"]
                                             if node["type"] in BYPASSABLE and node["name"] not in active})

    def run(self, *arguments):
        done = subprocess.run([self.rtad, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"rtad {arguments[0]}: {done.stderr}")

    def render(self, *inputs, seconds=None):
        """Renders the graph with these device inputs. Returns the channels of the device outputs."""
        graph, out, wav = (self.folder / name for name in ("graph.json", "out.wav", "in.wav"))
        graph.write_text(json.dumps(self.graph))
        arguments = []
        if inputs:
            write_wav(wav, inputs)
            arguments = ["--input", str(wav)]
            seconds = len(inputs[0]) / RATE_HZ
        self.run("render", "--graph", str(graph), "--duration", str(seconds), "--output", str(out), *arguments)
        return read_wav(out)


def impulse_responses(channels):
    """Returns the impulse responses, which start at the frame of the probe."""
    return [[sample / PROBE for sample in channel[PROBE_FRAME:PROBE_FRAME + RESPONSE_FRAMES]] for channel in channels]


# ---- measurements ----------------------------------------------------------------------------------------------------

measures = []


def measure(unit, pattern):
    """Registers a measurement. Takes the document and the groups of the pattern; returns the figure of each channel."""
    def register(function):
        measures.append((unit, re.compile(pattern), function))
        return function
    return register


# A tone.

@measure("dB", "peak level, both channels")
def tone_peak(document):
    return [level_db(seconds_of(channel, 0, 1), frequency_of(channel)) for channel in stereo(document.render(seconds=2))]


@measure("dB", "RMS level, both channels")
def tone_rms(document):
    return [db_of(rms(seconds_of(channel, 0, 1))) for channel in stereo(document.render(seconds=1))]


@measure("Hz", "frequency")
def tone_frequency(document):
    return [frequency_of(channel) for channel in stereo(document.render(seconds=2))]


@measure("dB", "all but the tone, against it")
def tone_rest(document):
    def rest(channel):
        samples = seconds_of(channel, 0, 1)
        step, peak = 2j * math.pi * round(frequency_of(channel)) / RATE_HZ, phasor(samples, round(frequency_of(channel)))
        left = [sample - (peak * cmath.exp(step * n)).real for n, sample in enumerate(samples)]
        return db_of(rms(left) / rms(samples))
    return [rest(channel) for channel in stereo(document.render(seconds=2))]


def stereo(channels):
    if len(channels) != 2:
        raise Failure(f"{len(channels)} channels come out")
    return channels


def frequency_of(samples):
    """Measures from the first to the last rising zero crossing."""
    rises = [n + here / (here - after) for n, (here, after) in enumerate(zip(samples, samples[1:])) if here < 0 <= after]
    return (len(rises) - 1) / (rises[-1] - rises[0]) * RATE_HZ


# A crossover. A way has the name of its output node (woofer_out etc.), in the order of the outputs of `crossover`.

WAYS = ("woofer", "midrange", "tweeter")


def outputs_of(document, way, channels):
    settings = document.node(f"{way}_out")["settings"]
    first = settings["first_channel"] - 1
    return stereo(channels[first:first + settings["channels"]])


def way_responses(document, way):
    return impulse_responses(outputs_of(document, way, document.render(probe(), probe())))


def linkwitz_riley(document, way, frequency_hz):
    """Returns the magnitude of a 4th-order way after the bilinear transform with prewarped frequencies: s^4 / (1 + s^4)
    ..."""
    ratios = [math.tan(math.pi * frequency_hz / RATE_HZ) / math.tan(math.pi * crossing_hz / RATE_HZ) for crossing_hz in
              (document.node("crossover")["parameters"][f"frequency_{i}_hz"] for i in (1, 2))]
    index = WAYS.index(way)
    above = math.prod(1 / (1 + ratio ** -4) for ratio in ratios[:index])
    return above * math.prod(1 / (1 + ratio ** 4) for ratio in ratios[index:])


def middle_hz(way):
    """Returns a frequency well within the band of a way."""
    return {"woofer": 60, "midrange": 1_000, "tweeter": 10_000}[way]


def way_level(document, way, impulse_response):
    return abs(response(impulse_response, middle_hz(way))) / linkwitz_riley(document, way, middle_hz(way))


@measure("dB", r"level of the (\w+) in its band")
def band_level(document, way):
    return [db_of(way_level(document, way, heard)) for heard in way_responses(document, way)]


@measure("Hz", r"(upper|lower) corner \(-6 dB\) of the (\w+)")
def corner(document, side, way):
    def of(heard):
        half = way_level(document, way, heard) / 2
        inside, outside = middle_hz(way), RATE_HZ / 2 if side == "upper" else 5
        fell = boundary(lambda part: abs(response(heard, inside * (outside / inside) ** part)) < half, 0, 1)
        return inside * (outside / inside) ** fell
    return [of(heard) for heard in way_responses(document, way)]


@measure("dB", r"(\w+) at (\d+) Hz, against its level")
def way_at(document, way, frequency_hz):
    return [db_of(response(heard, float(frequency_hz)) / way_level(document, way, heard))
            for heard in way_responses(document, way)]


@measure("ms", r"delay of the (\w+) behind the (\w+)")
def way_delay(document, late, early):
    return [delay_behind_ms(*pair) for pair in zip(way_responses(document, late), way_responses(document, early))]


@measure("dB", "worst of the sum of the ways without their levels and delays, 20 Hz to 20 kHz")
def sum_of_ways(document):
    rendered = document.render(probe(), probe())
    ways = {way: impulse_responses(outputs_of(document, way, rendered)) for way in WAYS}

    def worst(side):
        total = [0j] * (RESPONSE_FRAMES // 2)
        for way in WAYS:
            heard = ways[way][side]
            level, delay_s = way_level(document, way, heard), delay_behind_ms(heard, ways["woofer"][side]) / 1_000
            for k, value in enumerate(spectrum(heard)[:len(total)]):
                total[k] += value / level * cmath.exp(2j * math.pi * k * RATE_HZ / RESPONSE_FRAMES * delay_s)
        heard = [db_of(value) for k, value in enumerate(total) if 20 <= k * RATE_HZ / RESPONSE_FRAMES <= 20_000]
        return max(heard, key=abs)
    return [worst(0), worst(1)]


@measure("dB", r"ceiling of the (\w+), of a tone at (\d+) Hz and (-?\d+) dB")
def way_ceiling(document, way, frequency_hz, level):
    loud = tone(float(frequency_hz), float(level), 3)
    return [level_db(seconds_of(heard, 2, 3), float(frequency_hz))
            for heard in outputs_of(document, way, document.render(loud, loud))]


@measure("ms", r"release of the limiter of the (\w+), of a tone at (\d+) Hz")
def way_release(document, way, frequency_hz):
    frequency_hz, step = float(frequency_hz), RATE_HZ // 100
    falling = tone(frequency_hz, 0, 2) + tone(frequency_hz, -20, 3)

    def time_constant_ms(heard):
        level = [abs(phasor(heard[n:n + step], frequency_hz)) for n in range(0, len(heard) - step + 1, step)]
        missing = [1 - level[2 * 100 + i] / level[-1] for i in (5, 15)]
        if missing[1] < 0.001:
            raise Failure("the limiter has not reduced it")
        return 100 / math.log(missing[0] / missing[1])
    return [time_constant_ms(heard) for heard in outputs_of(document, way, document.render(falling, falling))]


@measure("ms", "latency of the woofer")
def way_latency(document):
    # Without look-ahead, part of an impulse passes a filter immediately.
    return [next(n for n, sample in enumerate(heard) if sample) / RATE_HZ * 1_000
            for heard in way_responses(document, "woofer")]


# Any chain.

def silencing(document, path):
    """Returns the parameter values that silence one of the two paths of the guitar."""
    return {"blend__mute_2": 1} if path == "clean" else {"blend__mute_1": 1}


def without_music(document):
    """Returns the parameter values that mute the music, if the graph has music."""
    return {"mix__mute_2": 1} if any(node["name"] == "music" for node in document.graph["nodes"]) else {}


def chain_inputs(document, samples):
    """Returns the same signal for every input."""
    return [samples] * sum(node["settings"]["channels"] for node in document.graph["nodes"] if node["type"] == "input")


@measure("ms", "latency")
def latency(document):
    # A bypassed node keeps its latency. An impulse stays a single impulse only if its paths are aligned.
    heard = impulse_responses(stereo(document.only().render(*chain_inputs(document, probe()))))
    for channel in heard:
        if sum(sample != 0 for sample in channel) != 1:
            raise Failure("an impulse comes out at several times")
    return [highest_at(channel, 0) / RATE_HZ * 1_000 for channel in heard]


def filter_at(document, node, frequency_hz):
    """Returns the magnitude response of a node: the output with the node relative to the output without it."""
    def heard(*active):
        channels = stereo(document.only(*active, **without_music(document)).render(*chain_inputs(document, probe())))
        return [response(channel, float(frequency_hz)) for channel in impulse_responses(channels)]
    return [db_of(with_it / without) for with_it, without in zip(heard(node), heard())]


@measure("dB", r"response at (\d+) Hz")
def chain_response(document, frequency_hz):
    rendered = stereo(document.render(*chain_inputs(document, probe())))
    return [db_of(response(channel, float(frequency_hz))) for channel in impulse_responses(rendered)]


STEP_S = 1


def gains_after_step(document, node, before_db, after_db):
    """Returns the gain of the node, as a factor, in each frame from the step of a constant to another level on."""
    values = without_music(document)
    step = [gain(before_db)] * round(STEP_S * RATE_HZ) + [gain(after_db)] * (2 * RATE_HZ)
    with_it, without = (stereo(variant.render(*chain_inputs(document, step)))[0]
                        for variant in (document.only(node, **values), document.only(**values)))
    begin = round(STEP_S * RATE_HZ + latency(document)[0] * RATE_HZ / 1_000)
    return [a / b for a, b in zip(with_it[begin:], without[begin:])]


def crossed_ms(values, level):
    """Returns the first time at which the values cross the level, interpolated between frames."""
    up = values[0] < level
    n = next(n for n, value in enumerate(values) if (value >= level if up else value <= level))
    return (n - (values[n] - level) / (values[n] - values[n - 1])) / RATE_HZ * 1_000


@measure("ms", r"(\w+) goes 63 % of the way down in")
def attack(document, node):
    gains_db = [db_of(factor) for factor in gains_after_step(document, node, -60, -12)]
    return [crossed_ms(gains_db, gains_db[0] + (1 - math.exp(-1)) * (gains_db[-1] - gains_db[0]))]


@measure("ms", r"(\w+) comes 63 % of the way back in")
def release(document, node):
    gains_db = [db_of(factor) for factor in gains_after_step(document, node, -12, -60)]
    return [crossed_ms(gains_db, gains_db[0] + (1 - math.exp(-1)) * (gains_db[-1] - gains_db[0]))]


# The guitar chain.

# The gate moves along the curve 3 p^2 - 2 p^3, which rises from 1/4 to 3/4 in this fraction of its duration.
MIDDLE_OF_S = 0.34730


def gate_openings(document, before_db, after_db):
    """Returns the opening of the gate, 0 to 1, in each frame after a step."""
    gains = gains_after_step(document, "gate", before_db, after_db)
    shut, opened = min(gains), max(gains)
    return [(factor - shut) / (opened - shut) for factor in gains]


@measure("ms", "gate opens in")
def gate_attack(document):
    opening = gate_openings(document, -80, -20)
    return [(crossed_ms(opening, 0.75) - crossed_ms(opening, 0.25)) / MIDDLE_OF_S]


@measure("ms", "gate closes in")
def gate_release(document):
    opening = gate_openings(document, -20, -80)
    return [(crossed_ms(opening, 0.25) - crossed_ms(opening, 0.75)) / MIDDLE_OF_S]


@measure("ms", "gate stays open for")
def gate_hold(document):
    return [crossed_ms(gate_openings(document, -20, -80), 0.5) - gate_release(document)[0] / 2]


def settled(document, frequency_hz, level):
    """Returns the last second of a tone, in the steady state."""
    return [seconds_of(channel, 2, 3) for channel in stereo(document.render(tone(frequency_hz, level, 3)))]


def gate_gain_db(document, samples):
    """Returns the gain of the gate at the end of the samples."""
    def level(*active):
        heard = stereo(document.only(*active, **silencing(document, "clean")).render(samples))[0]
        return level_db(heard[-RATE_HZ // 10:], 1_000)
    return level("gate") - level()


def is_open(document, samples):
    return gate_gain_db(document, samples) > -3


@measure("dB", "gate opens at")
def gate_opens(document):
    return [boundary(lambda level: is_open(document, tone(1_000, level, 1)), -90, -10)]


@measure("dB", "gate closes at")
def gate_shuts(document):
    loud = tone(1_000, -10, 0.2)
    return [boundary(lambda level: is_open(document, loud + tone(1_000, level, 1)), -90, -10)]


@measure("dB", "gain of the closed gate")
def gate_range(document):
    return [gate_gain_db(document, tone(1_000, -80, 1))]


@measure("dB", r"(clean|drive) path: a tone at (-?\d+) dB comes out at")
def path_level(document, path, level):
    variant = document.only("gate", "compressor", "drive", **silencing(document, path))
    return [level_db(heard, 1_000) for heard in settled(variant, 1_000, float(level))]


DRIVEN_HZ = 220
# Contains whole cycles of the tone and of all aliases of its harmonics, which fall on multiples of 20 Hz.
DRIVEN_FRAMES = 2_400


def driven(document, level):
    variant = document.only("gate", "compressor", "drive", **silencing(document, "drive"))
    return [heard[-DRIVEN_FRAMES:] for heard in settled(variant, DRIVEN_HZ, level)]


@measure("dB", r"drive path: third harmonic of a tone at (-?\d+) dB, against it")
def third_harmonic(document, level):
    return [level_db(heard, 3 * DRIVEN_HZ) - level_db(heard, DRIVEN_HZ) for heard in driven(document, float(level))]


@measure("dB", r"drive path: all but the harmonics of a tone at (-?\d+) dB, against it")
def aliases(document, level):
    def rest(heard):
        harmonics = [abs(phasor(heard, hz)) for hz in range(DRIVEN_HZ, RATE_HZ // 2, DRIVEN_HZ)]
        power = rms(heard) ** 2 - sum(peak * peak for peak in harmonics) / 2
        return db_of(math.sqrt(max(power, 0)) / (harmonics[0] / math.sqrt(2)))
    return [rest(heard) for heard in driven(document, float(level))]


@measure("ms", "clean path behind the drive path, where they meet")
def paths_meet(document):
    def heard(path):
        return impulse_responses(stereo(document.only("drive", **silencing(document, path)).render(probe())))
    return [delay_behind_ms(*pair) for pair in zip(heard("clean"), heard("drive"))]


@measure("dB", r"tone stack at (\d+) Hz")
def tone_stack(document, frequency_hz):
    return filter_at(document, "tone", frequency_hz)


def echoes(document):
    """Returns, for each channel, frames and samples of the direct sound and of two echoes."""
    def peaks(channel):
        frames = [highest_at(channel, 0)]
        for _ in range(2):
            frames.append(highest_at(channel, frames[-1] + 1))
        return [(frame, channel[frame]) for frame in frames]
    return [peaks(channel) for channel in stereo(document.only("echo").render(probe(4)))]


@measure("ms", "first echo behind the direct sound")
def echo_time(document):
    return [(first[0] - direct[0]) / RATE_HZ * 1_000 for direct, first, _ in echoes(document)]


@measure("dB", "first echo, against the direct sound")
def echo_level(document):
    return [db_of(first[1] / direct[1]) for direct, first, _ in echoes(document)]


@measure("dB", "second echo, against the first")
def echo_feedback(document):
    return [db_of(second[1] / first[1]) for _, first, second in echoes(document)]


@measure("s", r"reverberation at (\d+) Hz falls by 60 dB in")
def reverberation(document, frequency_hz):
    """Measures the decay of the remaining energy from -5 to -35 dB, as in ISO 3382."""
    def decay_s(channel):
        tail, energy, left = seconds_of(channel, 1.05, 7), 0.0, []
        for sample in reversed(tail):
            energy += sample * sample
            left.append(energy)
        left.reverse()
        five, thirty_five = (next(n for n, value in enumerate(left) if value < left[0] * gain(fall) ** 2) for fall in (-5, -35))
        return 2 * (thirty_five - five) / RATE_HZ
    # Tones over a third of an octave; a single tone would beat between the modes of the room, which distorts the decay.
    tones = [tone(float(frequency_hz) * 2 ** (i / 60), -40, 1) for i in range(-10, 11)]
    return [decay_s(channel) for channel in
            stereo(document.only("reverb").render([sum(samples) for samples in zip(*tones)] + silence(6)))]


def reverberated(document):
    """Returns, for each channel, the direct sound and the samples after it."""
    def split(channel):
        direct = highest_at(channel, 0)
        return channel[direct], channel[direct + 1:]
    return [split(channel) for channel in stereo(document.only("reverb").render(probe(5)))]


@measure("ms", "reverberation begins after")
def reverberation_begin(document):
    begin = min(next(n for n, sample in enumerate(after, 1) if sample) for _, after in reverberated(document))
    return [begin / RATE_HZ * 1_000]


@measure("dB", "energy of the reverberation, against the direct sound")
def reverberation_level(document):
    return [db_of(math.sqrt(sum(sample * sample for sample in after)) / direct) for direct, after in reverberated(document)]


@measure("dB", r"ceiling, of a tone at (-?\d+) dB")
def ceiling(document, level):
    return [level_db(heard, 1_000) for heard in settled(document.only("limiter"), 1_000, float(level))]


# A voice over music. Both are tones with whole cycles per millisecond, so that each can be measured separately.

VOICE_HZ, MUSIC_HZ, MUSIC_DB = 1_000, 3_000, -20
BEGIN_S, END_S = 1, 3  # when the voice speaks


def music_db(document, voice):
    """Returns, for each channel, the level of the music in each millisecond."""
    music = tone(MUSIC_HZ, MUSIC_DB, len(voice) / RATE_HZ)
    late, step = round(latency(document)[0] * RATE_HZ / 1_000), RATE_HZ // 1_000
    return [[level_db(channel[n:n + step], MUSIC_HZ) for n in range(late, len(channel) - step, step)]
            for channel in stereo(document.render(voice, music, music))]


def spoken(level):
    return silence(BEGIN_S) + tone(VOICE_HZ, level, END_S - BEGIN_S) + silence(3)


def reductions_db(document, level):
    """Returns the reduction in each millisecond, relative to the music alone."""
    alone = music_db(document, silence(1))
    return [[before[-1] - now for now in channel] for before, channel in zip(alone, music_db(document, spoken(level)))]


@measure("dB", "music alone, against its input")
def music_alone(document):
    return [channel[-1] - MUSIC_DB for channel in music_db(document, silence(1))]


@measure("dB", r"music goes down by, while the voice speaks at (-?\d+) dB")
def ducking(document, level):
    return [channel[END_S * 1_000 - 10] for channel in reductions_db(document, float(level))]


@measure("ms", "music is down, but for 1 dB, after")
def ducking_attack(document):
    def time_ms(channel):
        down = channel[END_S * 1_000 - 10]
        return next(t for t, reduction in enumerate(channel[BEGIN_S * 1_000:]) if reduction > down - 1)
    return [time_ms(channel) for channel in reductions_db(document, -20)]


@measure("ms", "music is back, but for 1 dB, after the voice")
def ducking_release(document):
    def time_ms(channel):
        if channel[END_S * 1_000 - 10] < 3:
            raise Failure("the music has not gone down")
        return next(t for t, reduction in enumerate(channel[END_S * 1_000:]) if reduction < 1)
    return [time_ms(channel) for channel in reductions_db(document, -20)]


def of_voice(document, samples):
    nothing = [0.0] * len(samples)
    return stereo(document.render(samples, nothing, nothing))


@measure("dB", r"voice at (-?\d+) dB comes out at")
def voice_level(document, level):
    return [level_db(seconds_of(channel, 2, 3), VOICE_HZ) for channel in of_voice(document, tone(VOICE_HZ, float(level), 3))]


@measure("dB", "voice on the right, against the left")
def voice_balance(document):
    left, right = (level_db(seconds_of(channel, 1, 2), VOICE_HZ) for channel in of_voice(document, tone(VOICE_HZ, -20, 2)))
    return [right - left]


@measure("dB", r"low cut of the voice at (\d+) Hz")
def low_cut(document, frequency_hz):
    return filter_at(document, "low_cut", frequency_hz)


@measure("dB", r"de-essing at (\d+) Hz")
def deessing(document, frequency_hz):
    return filter_at(document, "deess", frequency_hz)


@measure("dB", r"highest peak, where a voice at (-?\d+) dB begins over music at (-?\d+) dB")
def highest_peak(document, voice, music):
    loud = tone(MUSIC_HZ, float(music), 2)
    return [db_of(max(map(abs, channel)))
            for channel in stereo(document.render(silence(1) + tone(VOICE_HZ, float(voice), 1), loud, loud))]


# ---- the test --------------------------------------------------------------------------------------------------------

# Mono to 5.1.

SIX = {"left and right": (0, 1), "centre": (2,), "LFE": (3,), "surrounds": (4, 5)}


def six_responses(document, name):
    channels = impulse_responses(document.render(probe()))
    if len(channels) != 6:
        raise Failure(f"{len(channels)} channels come out")
    return [channels[i] for i in SIX[name]]


@measure("dB", "(centre|left and right|surrounds) against the input")
def six_level(document, name):
    return [db_of(response(heard, 1_000)) for heard in six_responses(document, name)]


@measure("ms", "surrounds behind the centre")
def six_delay(document):
    def begin(heard):
        return max(range(len(heard)), key=lambda n: abs(heard[n]))
    centre, = six_responses(document, "centre")
    return [(begin(heard) - begin(centre)) / RATE_HZ * 1_000 for heard in six_responses(document, "surrounds")]


@measure("dB", r"LFE at (\d+) Hz")
def six_low(document, frequency_hz):
    return [db_of(response(heard, float(frequency_hz))) for heard in six_responses(document, "LFE")]


def measured(document, row):
    """Returns the figures of the row, from the one measurement that matches it."""
    known = [(unit, function, found) for unit, pattern, function in measures if (found := pattern.fullmatch(row.what))]
    if len(known) != 1:
        raise Failure(f"{len(known)} measurements know {row.what!r}")
    unit, function, found = known[0]
    if unit != row.unit:
        raise Failure(f"{row.what!r} is measured in {unit}")
    figures = function(document, *found.groups())
    if not figures:
        raise Failure("nothing was measured")
    return function, figures


def main(programs, page):
    recipes, faults, used = recipes_of(pathlib.Path(page).read_text()), [], set()
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        for recipe in recipes:
            document = Document(json.loads(recipe.text), pathlib.Path(programs) / "rtad", folder)
            (folder / recipe.file).write_text(recipe.text)
            document.run("check", str(folder / recipe.file))
            for row in recipe.rows:
                try:
                    function, figures = measured(document, row)
                    used.add(function)
                    told = f"{page}:{row.line}: {row.what}: {', '.join(f'{figure:.6g}' for figure in figures)} {row.unit}"
                    print(told, flush=True)
                    if not all(abs(figure - row.value) <= row.tolerance for figure in figures):
                        faults.append(f"{told}, and the page says {row.value:g} within {row.tolerance:g}")
                except Failure as fault:
                    faults.append(f"{page}:{row.line}: {row.what}: {fault}")
    faults += [f"no row of {page} asks for {pattern.pattern!r}" for _, pattern, function in measures if function not in used]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{sum(len(recipe.rows) for recipe in recipes)} rows of {len(recipes)} documents")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Failure as fault:
        sys.exit(f"{sys.argv[2]}: {fault}")
