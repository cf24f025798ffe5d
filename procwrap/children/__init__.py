"""The doing: the only place that spawns, signals and reaps."""
