"""Preflight of a bare config: its plug-ins built for the slots of all pipelines, looked at, and what they need."""

from spectrogrand.pipelines.execute import all_slots
from spectrogrand.runs import preflight


def build(config):
    return preflight.build(config, all_slots())


def check(config):
    return preflight.check(build(config))


def needs(config):
    return preflight.needs(build(config))


def chosen(config):
    """(place, kind, name) of every plug-in that a config names, those inside other plug-ins too."""
    return [(place, part.kind, part.name) for place, part in preflight.walk_parts(build(config))]
