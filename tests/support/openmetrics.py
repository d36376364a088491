#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Parses the text of OpenMetrics on standard input with the parser of Prometheus' client library, which refuses what the format
forbids. Prints one line for each metric, `NAME TYPE UNIT`, and for each sample, `NAME LABEL=VALUE... VALUE`, labels sorted."""
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    print(f"{family.name} {family.type} {family.unit}".rstrip())
    for sample in family.samples:
        labels = "".join(f" {name}={value}" for name, value in sorted(sample.labels.items()))
        print(f"{sample.name}{labels} {sample.value:g}")
