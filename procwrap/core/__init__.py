"""What follows and what is true: pure decisions, without Twisted, clock or I/O."""
