"""Other programs' configs: how they are recognised."""
