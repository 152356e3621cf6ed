"""One short file per job; read audiovisual.py first. The only room that ties a run to its report.

A pipeline is a module with three names: `SLOTS`, what fills it; `Settings`, a dataclass of checked fields; and
`run(run, settings)`, which makes everything. Packages add their own under the entry-point group `spectrogrand.pipelines`.
"""
