"""One small file a probe type; each is one class with check()."""
