"""Text becomes a Plan: pure but for find.py, which alone reads disk and environment."""
