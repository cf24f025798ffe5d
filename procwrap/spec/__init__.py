"""What was asked: frozen records without behaviour."""
