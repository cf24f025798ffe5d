"""The Pod around us: its other containers, its node, and the programs that stand beside our processes."""
